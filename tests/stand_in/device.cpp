// A device that computes on the CPU and says that it is another one. As on a GPU its tensors cannot meet those of the
// CPU in one operation, have no numpy view, and are told apart in files. sitecustomize.py builds and loads it.
#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <cstdlib>
#include <cstring>
#include <set>

namespace {
using at::IntArrayRef;
using at::Tensor;
using c10::Device;
using c10::DeviceIndex;
using c10::Stream;
using c10::SymIntArrayRef;
constexpr auto KIND = c10::DeviceType::PrivateUse1;
const Device HERE(KIND, 0);

// What PyTorch asks of a device: one, whose work is done when a call returns ------------------------------------------
struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return KIND; }
  Device exchangeDevice(Device) const override { return HERE; }
  Device getDevice() const override { return HERE; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  Stream getStream(Device) const override { return Stream(Stream::DEFAULT, HERE); }
  Stream getDefaultStream(Device) const override { return Stream(Stream::DEFAULT, HERE); }
  Stream getNewStream(Device, int) const override { return Stream(Stream::DEFAULT, HERE); }
  Stream exchangeStream(Stream) const override { return Stream(Stream::DEFAULT, HERE); }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const Stream&, const DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const Stream&) const override { return true; }
  void synchronizeStream(const Stream&) const override {}
  void synchronizeDevice(const DeviceIndex) const override {}
  void recordDataPtrOnStream(const c10::DataPtr&, const Stream&) const override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void* place = n ? std::aligned_alloc(64, (n + 63) / 64 * 64) : nullptr;
    return {place, place, &std::free, HERE};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t n) const override { std::memcpy(to, from, n); }
};
Memory memory;
REGISTER_ALLOCATOR(KIND, &memory);

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex exchangeDevice(DeviceIndex) const override { return 0; }
  DeviceIndex maybeExchangeDevice(DeviceIndex) const override { return 0; }
  void setCurrentDevice(DeviceIndex) const override {}
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t n) const override {
    auto larger = memory.allocate(n);
    if (storage.nbytes() && n) std::memcpy(larger.get(), storage.data(), std::min(n, storage.nbytes()));
    storage.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(larger));
    storage.unsafeGetStorageImpl()->set_nbytes(n);
  }
};
Hooks hooks;
const bool ready = (at::RegisterPrivateUse1HooksInterface(&hooks), true);

// Memory and views of it ----------------------------------------------------------------------------------------------
Tensor empty(IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>, std::optional<Device>,
             std::optional<bool>, std::optional<at::MemoryFormat> format) {
  auto kind = dtype.value_or(at::get_default_dtype_as_scalartype());
  return at::detail::empty_generic(size, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), kind, format);
}
Tensor empty_strided(IntArrayRef size, IntArrayRef stride, std::optional<at::ScalarType> dtype,
                     std::optional<at::Layout>, std::optional<Device>, std::optional<bool>) {
  auto kind = dtype.value_or(at::get_default_dtype_as_scalartype());
  return at::detail::empty_strided_generic(size, stride, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           kind);
}

// The same bytes as the CPU sees them.
Tensor seen(const Tensor& x) {
  if (!x.defined() || x.device().type() != KIND) return x;
  return at::from_blob(x.numel() ? x.data_ptr() : nullptr, x.sizes(), x.strides(), [keep = x.storage()](void*) {},
                       at::TensorOptions().dtype(x.dtype()).device(c10::kCPU));
}
Tensor home(const Tensor& x) { return x.defined() ? x.to(HERE) : x; }

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  seen(to).copy_(seen(from));
  return to;
}
Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  if (to.sizes() != from.sizes()) to.resize_(from.sizes());  // which would lay it out anew
  return copy_from(from, to, false);
}
at::Scalar item(const Tensor& x) { return seen(x).item(); }

const Tensor& resize(const Tensor& x, SymIntArrayRef size, std::optional<at::MemoryFormat> format) {
  auto sizes = C10_AS_INTARRAYREF_SLOW(size);
  size_t bytes = (c10::multiply_integers(sizes) + x.storage_offset()) * x.itemsize();
  if (x.storage().nbytes() < bytes) hooks.resizePrivateUse1Bytes(x.storage(), bytes);
  x.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
  if (format && *format != at::MemoryFormat::Contiguous && *format != at::MemoryFormat::Preserve)
    x.unsafeGetTensorImpl()->empty_tensor_restride(*format);
  return x;
}
Tensor strided(const Tensor& x, SymIntArrayRef size, SymIntArrayRef stride, std::optional<c10::SymInt> offset) {
  return at::native::as_strided_tensorimpl(x, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
                                           offset ? std::optional<int64_t>(offset->expect_int()) : std::nullopt);
}
Tensor view(const Tensor& x, SymIntArrayRef size) { return at::native::view(x, C10_AS_INTARRAYREF_SLOW(size)); }
Tensor reshaped(const Tensor& x, SymIntArrayRef size, SymIntArrayRef stride) {
  return at::native::_reshape_alias(x, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride));
}
Tensor& set(Tensor& x, c10::Storage storage, c10::SymInt offset, SymIntArrayRef size, SymIntArrayRef stride) {
  x.unsafeGetTensorImpl()->set_storage_keep_dtype(std::move(storage));
  x.unsafeGetTensorImpl()->set_sizes_and_strides(C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
                                                 offset.expect_int());
  return x;
}
Tensor& set_storage(Tensor& x, c10::Storage storage) {
  std::vector<c10::SymInt> size{c10::SymInt(int64_t(storage.nbytes() / x.itemsize()))}, one{c10::SymInt(1)};
  return set(x, std::move(storage), 0, size, one);
}
Tensor& set_tensor(Tensor& x, const Tensor& other) {
  return set(x, other.storage(), other.storage_offset(), other.sym_sizes(), other.sym_strides());
}

// Everything else: on the CPU, after a look at where the arguments are ------------------------------------------------
const std::set<std::string> MAY_MIX = {"aten::index", "aten::index_put_", "aten::_index_put_impl_", "aten::copy_"};

void on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  bool ours = false, others = false;
  auto look = [&](const Tensor& x) {
    if (!x.defined()) return;
    ours |= x.device().type() == KIND;
    others |= x.device().type() != KIND && x.dim() > 0;  // a single number may come from anywhere
  };
  for (const auto& value : torch::jit::last(*stack, op.schema().arguments().size())) {
    if (value.isTensor()) look(value.toTensor());
    if (value.isTensorList())
      for (const Tensor& x : value.toTensorVector()) look(x);
    if (value.isOptionalTensorList())
      for (const std::optional<Tensor>& x : value.toOptionalTensorVector())
        if (x) look(*x);
  }
  TORCH_CHECK(!(ours && others) || MAY_MIX.count(op.schema().name()),
              "Expected all tensors to be on the same device, but found two in ", op.schema().name());
  at::native::cpu_fallback(op, stack);
}

Tensor convolution(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias, IntArrayRef stride,
                   IntArrayRef padding, IntArrayRef dilation, bool transposed, IntArrayRef more, int64_t groups) {
  auto there = [](const Tensor& t) { return !t.defined() || t.device() == HERE; };
  TORCH_CHECK(there(x) && there(weight) && (!bias || there(*bias)), "Expected all tensors to be on the same device");
  return home(at::convolution(seen(x), seen(weight), bias ? std::optional<Tensor>(seen(*bias)) : std::nullopt, stride,
                              padding, dilation, transposed, more, groups));
}
std::tuple<Tensor, Tensor, Tensor> convolution_backward(
    const Tensor& grad, const Tensor& x, const Tensor& weight, IntArrayRef stride, IntArrayRef padding,
    IntArrayRef dilation, bool transposed, IntArrayRef more, int64_t groups, std::array<bool, 3> wanted) {
  std::vector<int64_t> bias = {transposed ? weight.size(1) * groups : weight.size(0)};
  auto found = at::convolution_backward(seen(grad), seen(x), seen(weight), IntArrayRef(bias), stride, padding, dilation,
                                        transposed, more, groups, wanted);
  return {home(std::get<0>(found)), home(std::get<1>(found)), home(std::get<2>(found))};
}
}  // namespace

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>()); }
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  m.impl("_local_scalar_dense", &item);
  m.impl("resize_", &resize);
  m.impl("as_strided", &strided);
  m.impl("view", &view);
  m.impl("_reshape_alias", &reshaped);
  m.impl("unfold", &at::native::unfold);
  m.impl("alias", &at::native::alias);
  m.impl("set_.source_Storage_storage_offset", &set);
  m.impl("set_.source_Storage", &set_storage);
  m.impl("set_.source_Tensor", &set_tensor);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
  // PyTorch has a slower form of these for any device, which wants other memory than the CPU's own does.
  for (auto name : {"native_group_norm", "native_group_norm_backward", "native_layer_norm"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
}
TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {  // what this book's networks multiply with
  using namespace at::autocast;
  KERNEL_PRIVATEUSEONE(conv1d, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(conv2d, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(conv3d, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(conv_transpose1d, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(conv_transpose2d, input, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(conv_transpose3d, input, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(linear, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(addmm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(matmul, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(mm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(bmm, lower_precision_fp)
}
