"""The reader finds in ONNX files what the package `onnx` finds, and every tensor that lies elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from nodegraph.core import ModelError
from nodegraph.models.onnxfile import FLOAT32, MOST_BYTES, MOST_PARTS, NEWEST_IR, OPSETS, Value, read_onnx
from tests.own.nets import GOLDEN, gather, low_or_high, model, told, value


def by_onnx(path: Path) -> Any:
    made = onnx.load(str(path), load_external_data=False)

    def ends(values: Any) -> tuple[Value, ...]:
        found = []
        for item in values:
            tensor = item.type.tensor_type
            sizes = tuple(d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim)
            found.append(Value(item.name, tensor.elem_type, sizes if tensor.HasField("shape") else None))
        return tuple(found)

    held = {tensor.name for tensor in made.graph.initializer}
    inputs = tuple(item for item in ends(made.graph.input) if item.name not in held)
    return inputs, ends(made.graph.output), tuple((item.key, item.value) for item in made.metadata_props)


@pytest.mark.parametrize("name", ["small", "step"])
def test_of_files_that_pytorch_wrote_it_says_what_onnx_says(name: str) -> None:
    path = GOLDEN / f"{name}.onnx"
    found = read_onnx(path)
    assert (found.inputs, found.outputs, found.metadata) == by_onnx(path)
    assert found == read_onnx(path.read_bytes()) and OPSETS[0] <= found.opset <= OPSETS[1]


def test_open_sizes_missing_shapes_and_inputs_with_numbers() -> None:
    made = low_or_high(columns=("batch", None, 24), scores=None)
    made.graph.input.append(value("w", [24, 2]))
    found = read_onnx(made.SerializeToString())
    assert found.inputs == (Value("columns", FLOAT32, (None, None, 24)),)
    assert found.outputs == (Value("scores", FLOAT32, None),)


def runs(made: Any) -> bool:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True


def relu(opset: int, ir: int) -> Any:
    return model([helper.make_node("Relu", ["x"], ["y"])], [value("x", [1])], [value("y", [1])], opset=opset, ir=ir)


def test_its_bounds_are_those_of_onnxruntime() -> None:
    oldest, newest = OPSETS
    assert runs(relu(oldest, 3)) and runs(relu(newest, NEWEST_IR)), "raise no bound that onnxruntime does not keep"
    assert not runs(relu(newest + 1, NEWEST_IR)) and not runs(relu(newest, NEWEST_IR + 1)), "the bounds can be raised"
    for opset, ir in ((oldest - 1, 3), (newest + 1, NEWEST_IR), (newest, NEWEST_IR + 1)):
        with pytest.raises(ModelError, match=rf"opset from {oldest} to {newest}"):
            read_onnx(relu(opset, ir).SerializeToString())


def outside(name: str = "t") -> Any:
    made = numpy_helper.from_array(np.zeros(4, np.float32), name)
    made.ClearField("raw_data")
    made.data_location = TensorProto.EXTERNAL
    made.external_data.add(key="location", value="../secret.bin")
    return made


def _branch(tensor: Any) -> Any:
    graph = helper.make_graph(
        [helper.make_node("Identity", [tensor.name], ["o"])], "b", [], [value("o", [4])], [tensor]
    )
    return helper.make_node("If", ["c"], ["z"], then_branch=graph, else_branch=graph)


def _sparse(tensor: Any) -> Any:
    indices = numpy_helper.from_array(np.arange(4), "i")
    return helper.make_sparse_tensor(tensor, indices, [8])


def hiding_places() -> dict[str, Any]:
    places = {}

    def fresh(name: str) -> Any:
        places[name] = made = relu(17, 8)
        return made

    fresh("initializer").graph.initializer.append(outside())
    fresh("constant").graph.node.append(helper.make_node("Constant", [], ["k"], value=outside()))
    fresh("branch").graph.node.append(_branch(outside()))
    inner = helper.make_graph([_branch(outside())], "n", [], [value("z", [4])])
    fresh("branch of a branch").graph.node.append(
        helper.make_node("If", ["c"], ["zz"], then_branch=inner, else_branch=inner)
    )
    fresh("sparse").graph.sparse_initializer.append(_sparse(outside()))
    fresh("sparse attribute").graph.node.append(
        helper.make_node("Constant", [], ["k"], sparse_value=_sparse(outside()))
    )
    fresh("function").functions.append(
        helper.make_function(
            "d", "f", [], ["k"], [helper.make_node("Constant", [], ["k"], value=outside())],
            [helper.make_opsetid("", 17)],
        )
    )  # fmt: skip
    attribute = helper.make_attribute("a", outside())
    function = helper.make_function("d", "f", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])],
                                    [helper.make_opsetid("", 17)])  # fmt: skip
    function.attribute_proto.append(attribute)
    fresh("a function's attribute").functions.append(function)
    training = fresh("training").training_info.add()
    training.algorithm.CopyFrom(helper.make_graph([], "t", [], [], [outside()]))
    many = helper.make_node("Relu", ["x"], ["many"])
    many.attribute.append(helper.make_attribute("tensors", [outside("t1"), outside("t2")]))
    fresh("tensors").graph.node.append(many)
    bare = outside()
    del bare.external_data[:]
    fresh("location alone").graph.initializer.append(bare)
    told_elsewhere = outside()
    told_elsewhere.ClearField("data_location")
    fresh("data alone").graph.initializer.append(told_elsewhere)
    return places


@pytest.mark.parametrize("place", hiding_places())
def test_a_tensor_in_another_file_is_found_wherever_it_hides(place: str) -> None:
    content = hiding_places()[place].SerializeToString()
    with pytest.raises(ModelError) as caught:
        read_onnx(content)
    (problem,) = caught.value.problems
    assert problem.code == "outside" and "external_data=False" in problem.do
    assert place == "location alone" or "secret.bin" in problem.what


def test_one_behind_the_end_of_the_graph_is_found_too() -> None:
    """Protocol buffers put a second graph to the first: whoever appends bytes to a file adds to it."""
    more = onnx.ModelProto()
    more.graph.initializer.append(outside())
    with pytest.raises(ModelError, match="another file"):
        read_onnx(relu(17, 8).SerializeToString() + more.SerializeToString())


def test_onnxruntimes_own_format_is_not_let_in_by_the_back_door() -> None:
    with pytest.raises(ModelError, match="own format"):
        read_onnx(b"\x08\x08\x12\x08ORTM" + relu(17, 8).SerializeToString())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_damaged_is_refused_or_read_and_never_breaks_it(data: st.DataObject) -> None:
    content = bytearray(told(gather(), {"kind": "spikes"}).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        found = read_onnx(bytes(content))
    except ModelError as error:
        assert error.problems[0].do
    else:
        assert found.outputs


def test_it_takes_no_more_steps_than_it_may_and_reads_no_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="parts"):
        read_onnx(b"\x08\x08" * (MOST_PARTS + 1))
    made = low_or_high()
    made.graph.initializer.append(numpy_helper.from_array(np.zeros(4_000_000, np.float32), "big"))
    path = tmp_path / "big.onnx"
    path.write_bytes(made.SerializeToString())

    class Counting(io.FileIO):
        count = 0

        def read(self, size: int = -1) -> bytes:
            Counting.count += size
            return super().read(size)

    from nodegraph.models import onnxfile

    with Counting(path) as stream:
        onnxfile._checked(stream, path.stat().st_size)  # type: ignore[arg-type]
    assert Counting.count < 500_000 < path.stat().st_size
    with path.open("r+b") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(ModelError, match="may have"):
        read_onnx(path)
