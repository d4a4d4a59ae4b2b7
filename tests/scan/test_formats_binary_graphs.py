"""ONNX, TensorFlow graphs and Keras configurations."""

import base64
import json
import marshal

import pytest
from drive import rules, scan_bytes
from samples import (
    block,
    keras,
    keras_config,
    number,
    onnx,
    onnx_node,
    onnx_tensor,
    saved_model,
    tf_node,
)  # fmt: skip

from probatum.scan.bytecode import names


def external(place: str) -> bytes:
    return onnx_tensor(more=block(13, block(1, "location") + block(2, place)) + number(14, 1))


def test_onnx():
    result = scan_bytes(onnx(onnx_node("Conv"), onnx_node("Relu", "ai.onnx"), onnx_tensor(raw=bytes(16))))
    assert (result.format, result.verdict, result.findings) == ("onnx", "proved inert", ())


def test_strange_operators_wherever_they_stand():
    evil = onnx_node("Run", "com.example")
    inner = block(1, "body") + block(6, block(2, "g") + evil) + number(20, 5)
    branch = block(1, "then_branch") + block(6, onnx_node("If", "", inner)) + number(20, 5)
    function = block(25, block(1, "F") + block(10, "local") + block(7, evil[2:]))
    for data in (
        onnx(evil),
        onnx(onnx_node("If", "", branch)),
        onnx(onnx_node("F", "local"), more=function),
        onnx(onnx_node("Relu"), more=block(20, block(2, block(2, "t") + evil))),
    ):
        result = scan_bytes(data)
        assert (result.verdict, rules(result)) == ("executes unknown code", {"ONX002"})
        assert any("com.example::Run" in f.message for f in result.findings)
    assert rules(scan_bytes(onnx(onnx_node("Relux")))) == {"ONX002"}


def test_a_function_of_the_file_is_no_strange_operator():
    node = onnx_node("Relu")[2:]
    data = onnx(onnx_node("F", "local"), more=block(25, block(1, "F") + block(10, "local") + block(7, node)))
    assert scan_bytes(data).findings == ()


@pytest.mark.parametrize("place", ["../x", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\b", "http://x/y", "~/x"])
def test_external_data_outside(place):
    result = scan_bytes(onnx(onnx_node("Relu"), external(place)))
    assert (result.verdict, rules(result)) == ("dangerous", {"ONX001"})


def test_external_data_beside():
    result = scan_bytes(onnx(onnx_node("Relu"), external("model.onnx.data")))
    assert (result.verdict, rules(result)) == ("proved inert", {"ONX005"})
    value = block(5, onnx_tensor(more=block(13, block(1, "location") + block(2, "../x")))[2:])
    hidden = onnx_node("Constant", "", block(1, "value") + value + number(20, 4))
    assert rules(scan_bytes(onnx(hidden))) == {"ONX001"}


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (onnx_tensor(raw=bytes(15)), "ONX003"),
        (onnx_tensor(shape=(1 << 40, 1 << 40), raw=b""), "ONX003"),
        (external(""), "ONX003"),
        (block(999, "hidden"), "ONX004"),
        (block(5, b"\x0b\x0c"), "ONX004"),
    ],
)
def test_messages_that_are_not_onnx(part, rule):
    result = scan_bytes(onnx(onnx_node("Relu"), part))
    assert rule in rules(result)
    assert result.verdict == "not covered"


GRAPHS = {
    "saved model": lambda op: saved_model("Placeholder", op),
    "graph": lambda op: block(1, tf_node("Placeholder")) + block(1, tf_node(op)) + block(4, number(1, 1)),
    "meta graph": lambda op: block(1, "x") + block(2, block(1, tf_node("Placeholder")) + block(1, tf_node(op))),
}


@pytest.mark.parametrize("kind", GRAPHS)
def test_tensorflow(kind):
    good = scan_bytes(GRAPHS[kind]("MatMul"))
    assert (good.format, good.verdict, good.findings) == (kind, "proved inert", ())
    for op, rule, verdict in (
        ("WriteFile", "TFS001", "dangerous"),
        ("EagerPyFunc", "TFS001", "dangerous"),
        ("CompanyOp", "TFS002", "executes unknown code"),
        ("RestoreV2", "TFS003", "not covered"),
    ):
        assert (scan_bytes(GRAPHS[kind](op)).verdict, rules(scan_bytes(GRAPHS[kind](op)))) == (verdict, {rule})


def test_functions_of_the_library():
    def library(op: str) -> bytes:
        return block(1, block(1, block(1, "inner")) + block(3, tf_node(op)))

    def call(name: str) -> bytes:
        return block(1, "f") + block(2, block(10, block(1, name)))

    def model(called: str, op: str) -> bytes:
        node = block(1, tf_node("PartitionedCall", call(called)))
        return number(1, 1) + block(2, block(2, node + block(2, library(op))))

    assert scan_bytes(model("inner", "Relu")).findings == ()
    assert rules(scan_bytes(model("inner", "ReadFile"))) == {"TFS001"}
    assert rules(scan_bytes(model("PyFunc", "Relu"))) == {"TFS001"}
    assert rules(scan_bytes(model("elsewhere", "Relu"))) == {"TFS002"}
    assert rules(scan_bytes(saved_model("inner", library=library("Relu")))) == set()


def test_assets_and_fields():
    assert scan_bytes(saved_model("Relu", more=block(6, block(2, "vocab.txt")))).findings == ()
    assert rules(scan_bytes(saved_model("Relu", more=block(6, block(2, "../../x"))))) == {"TFS001"}
    graph = block(1, tf_node("Relu") + block(99, "hidden"))
    assert rules(scan_bytes(number(1, 1) + block(2, block(2, graph)))) == {"TFS004"}


def test_keras_layers_in_the_graph_of_objects():
    text = json.dumps({"class_name": "Dense", "config": {}})
    assert rules(scan_bytes(saved_model("Relu", more=block(7, block(1, text))))) == {"TFS005"}
    text = json.dumps({"class_name": "Lambda", "config": {}})
    assert rules(scan_bytes(saved_model("Relu", more=block(7, block(1, text))))) == {"TFS005", "KER001"}


def layer(**more: object) -> dict[str, object]:
    return {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": None, **more}


def test_keras():
    assert (scan_bytes(keras()).verdict, scan_bytes(keras()).findings) == ("proved inert", ())
    assert scan_bytes(json.dumps(keras_config()).encode()).format == "keras config"


def lambda_layer(code: str) -> dict[str, object]:
    body = compile(code, "<string>", "eval")
    text = base64.encodebytes(marshal.dumps(body)).decode()
    inner = {"class_name": "__lambda__", "config": {"code": text, "defaults": None, "closure": None}}
    return layer(class_name="Lambda", config={"name": "l", "function": inner})


def test_lambda_layers_are_read_and_not_run():
    harmless, harmful = lambda_layer("lambda x: x * scale"), lambda_layer("lambda x: __import__('time').sleep(x)")
    assert "scale" in names(marshal.dumps(compile("x * scale", "<string>", "eval")))
    result = scan_bytes(keras(harmless))
    assert (result.verdict, rules(result)) == ("executes unknown code", {"KER001"})
    assert any("scale" in f.message for f in result.findings)
    assert rules(scan_bytes(keras(harmful))) == {"KER001", "KER002"}
    old = json.dumps({"class_name": "Lambda", "config": {"function": ["4wEA", None, None], "function_type": "lambda"}})
    assert rules(scan_bytes(old.encode())) == {"KER001"}


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (layer(module="os", class_name="system"), "KER002"),
        (layer(module="keras.utils", class_name="get_file"), "KER002"),
        (layer(module="keras.src.utils.file_utils", class_name="get_file"), "KER002"),
        (layer(module="keras.config", class_name="enable_unsafe_deserialization"), "KER002"),
        (layer(module="mypackage.layers", class_name="Thing"), "KER003"),
        (layer(module=None, class_name="Thing", registered_name="mypackage>Thing"), "KER003"),
        (layer(module="builtins", class_name="Thing"), "KER003"),
        (layer(module="builtins", class_name="function", config="eval"), "KER003"),
        (layer(class_name="TorchModuleWrapper"), "KER001"),
        (layer(class_name="TFSMLayer", config={"filepath": "/x"}), "KER001"),
        (layer(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}), "KER004"),
        (layer(config={"activation": layer(module="subprocess", class_name="Popen")}), "KER002"),
    ],
)
def test_references_out_of_keras(bad, rule):
    for data in (keras(bad), json.dumps(keras_config(bad)).encode()):
        result = scan_bytes(data)
        assert rule in rules(result)
        assert result.verdict != "proved inert"


def test_an_escaped_key_is_the_same_key():
    text = json.dumps(keras_config(layer(module="os", class_name="system"))).replace(
        "class_name", "cl\\u0061ss_n\\u0061me"
    )
    assert "KER002" in rules(scan_bytes(text.encode()))
