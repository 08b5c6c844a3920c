"""Which layers are pooled beside the feature layer: wide, spread over the depth, ends of steps."""

from vision_recipes.model_folder.config import Layer
from vision_recipes.model_folder.inner_layers import COUNT, inner_layers


def chain(*steps: tuple[str, int, int]) -> list[Layer]:
    """Return layers of a kind with a side and a number of channels each."""
    return [
        Layer(place, f"{kind}_{place}", kind, (side, side, width), width)
        for place, (kind, side, width) in enumerate(steps, start=1)
    ]


def test_an_activation_is_taken_where_a_block_is_widest():
    block = [("Conv2D", 14, 96), ("ReLU", 14, 96), ("DepthwiseConv2D", 14, 96), ("ReLU", 14, 96), ("Conv2D", 14, 24)]
    layers = chain(*block * 10, ("Conv2D", 7, 320), ("ReLU", 7, 320))
    chosen = inner_layers(layers, layers[-1])
    assert len(chosen) == COUNT
    assert {layer.kind for layer in chosen} == {"ReLU"} and {layer.size for layer in chosen} == {96}
    assert [layer.index for layer in chosen] == sorted({layer.index for layer in chosen})
    assert chosen[0].index > 10, "the first layers see edges only"


def test_what_leads_to_the_feature_layer_in_its_shape_is_left_out():
    layers = chain(*[("Conv2D", 14, 64)] * 8, ("Conv2D", 7, 128), ("BatchNormalization", 7, 128), ("ReLU", 7, 128))
    assert {layer.size for layer in inner_layers(layers, layers[-1])} == {64}


def test_a_network_without_places_has_none():
    layers = [Layer(index, f"dense_{index}", "Dense", (64,), 64) for index in range(1, 9)]
    assert inner_layers(layers, layers[-1]) == ()
    assert inner_layers(chain(*[("ReLU", 1, 64)] * 9), chain(*[("ReLU", 1, 64)] * 9)[-1]) == ()


def test_tokens_are_places():
    layers = [Layer(index, f"add_{index}", "Add", (197, 64), 64) for index in range(1, 13)] + [
        Layer(13, "last", "LayerNormalization", (196, 64), 64)
    ]
    assert [layer.index for layer in inner_layers(layers, layers[-1])] == [7, 8, 9, 10, 11, 12]
