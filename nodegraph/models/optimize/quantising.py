"""Other precisions of an ONNX model.

Source: onnxruntime, "Quantize ONNX Models" and "Float16 and mixed precision"; B. Jacob and others, "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.providers import CPU, session_options

Feed = Mapping[str, Any]
LONGEST: Final = (1 << 31) - 1
MATRICES: Final = ("MatMul", "Gemm", "LSTM", "Attention", "EmbedLayerNormalization")
CONVOLUTIONS: Final = ("Conv", "ConvTranspose")
QUANTISED: Final = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearConv"}
    | {"QLinearMatMul", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM", "MatMulNBits"}
)


def open_model(path: Path) -> Any:
    """The model with all its weights. Raises ModelError."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path))
    except (OSError, DecodeError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(Problem("damaged", f"it cannot be read: {error}.", "Fetch it again.", str(path))) from error
    # Shapes of inner values, as exporters note them, may be wrong for what is made here.
    del model.graph.value_info[:]
    return model


def check(model: Any, to: str) -> None:
    """Raises ModelError when there is nothing to gain."""
    import onnx

    kinds = {node.op_type for node in model.graph.node}
    if kinds & QUANTISED:
        what = "its weights are 8-bit numbers already: it is as small as it gets."
        raise ModelError(Problem("quantised-already", what, "Use it as it is."))
    floats = {tensor.data_type for tensor in model.graph.initializer}
    if to == "fp16" and onnx.TensorProto.FLOAT not in floats:
        raise ModelError(Problem("nothing-to-gain", "it has no 32-bit numbers to halve.", "Use it as it is."))
    if to == "int8" and not kinds & set(MATRICES):
        what = "it has no matrix products and no LSTM, and int8 makes nothing else faster."
        do = "Its convolutions take --to static." if kinds & set(CONVOLUTIONS) else "Use it as it is."
        raise ModelError(Problem("nothing-to-gain", what, do))
    if to == "static" and not kinds & {*MATRICES, *CONVOLUTIONS}:
        what = "it has neither convolutions nor matrix products."
        raise ModelError(Problem("nothing-to-gain", what, "Use it as it is."))


def make(model: Any, to: str, feeds: Sequence[Feed], target: Path) -> None:
    """Write the version `to` of the model; `feeds` are what it was fed while it heard sounds. Raises OSError,
    ModelError."""
    try:
        made = _opening({"int8": _dynamic, "static": _static, "fp16": _half}[to], model, feeds, target.parent)
    except (ModelError, OSError):
        raise
    except Exception as error:  # the tools raise what they like
        what = f"this network cannot be made {to}: {type(error).__name__}: {' '.join(str(error).split())[:300]}."
        raise ModelError(Problem("cannot-be-made", what, "Use it as it is.")) from error
    if made.ByteSize() > LONGEST:
        raise ModelError(Problem("too-large", f"as {to} it has more than 2 GiB.", "Use it as it is."))
    target.write_bytes(made.SerializeToString())


def _opening(
    way: Callable[[Any, Sequence[Feed], Path, bool], Any], model: Any, feeds: Sequence[Feed], folder: Path
) -> Any:
    """A version that can be opened. Weights scaled channel by channel are truer, and some graphs do not bear it."""
    import onnxruntime

    try:
        made = way(model, feeds, folder, True)
        onnxruntime.InferenceSession(made.SerializeToString(), session_options(folder), providers=[CPU])
    except (OSError, MemoryError):
        raise
    except Exception:  # onnxruntime has a class for each
        made = way(model, feeds, folder, False)
    return made


def _dynamic(model: Any, feeds: Sequence[Feed], folder: Path, each: bool) -> Any:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "made.onnx"
        kinds = [kind for kind in MATRICES if any(node.op_type == kind for node in model.graph.node)]
        quantize_dynamic(model, made, op_types_to_quantize=kinds, per_channel=each, weight_type=QuantType.QInt8)
        return onnx.load(str(made))


def _static(model: Any, feeds: Sequence[Feed], folder: Path, each: bool) -> Any:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left: Iterator[Feed] = iter(feeds)

        def get_next(self) -> Any:
            return next(self.left, None)

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        given, plain, made = (Path(scratch) / f"{name}.onnx" for name in ("given", "plain", "made"))
        given.write_bytes(model.SerializeToString())
        # Batch normalisation goes into the weights.
        quant_pre_process(str(given), str(plain), skip_symbolic_shape=True)
        quantize_static(
            plain, made, Reader(), quant_format=QuantFormat.QDQ, per_channel=each,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=[*CONVOLUTIONS, "MatMul", "Gemm"],
        )  # fmt: skip
        return onnx.load(str(made))


def _half(model: Any, feeds: Sequence[Feed], folder: Path, each: bool) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)
