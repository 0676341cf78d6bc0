//! Models that are graphs of layers, and layers made in loops and functions.

use program::{EventKind, ModelKind, Program, Source, Value};

fn classes(program: &Program, model: usize) -> Vec<&str> {
    program.models[model]
        .layers
        .iter()
        .map(|layer| program.call(layer.call).class())
        .collect()
}

fn units(program: &Program, model: usize) -> Vec<Option<i64>> {
    program.models[model]
        .layers
        .iter()
        .map(
            |layer| match program.call(layer.call).argument("units")?.value.value {
                Value::Int(units) => Some(units),
                _ => None,
            },
        )
        .collect()
}

const HEAD: &str =
    "import keras\nfrom keras import Input, Model, Sequential, layers\nfrom keras.layers import Dense\n";

fn parse(text: &str) -> Program {
    Program::parse(&format!("{HEAD}{text}"))
}

#[test]
fn a_chain_is_read_whichever_way_it_is_written() {
    for text in [
        "i = Input((3,))\nx = Dense(4)(i)\no = Dense(1)(x)\nm = Model(i, o)\n",
        "i = Input((3,))\nm = Model(inputs=[i], outputs=[Dense(1)(Dense(4)(i))])\n",
        "i = Input((3,))\nhidden, last = Dense(4), Dense(1)\nm = Model(inputs=i, outputs=last(hidden(i)))\n",
        "def build():\n    i = layers.Input((3,))\n    x = i\n    for n in [4, 1]:\n        x = Dense(n)(x)\n    return keras.models.Model(i, x)\nm = build()\n",
        "def block(x, n):\n    return Dense(n)(x)\ni = Input((3,))\nm = Model(i, block(block(i, 4), n=1))\n",
        "i = Input((3,))\ninner = Sequential([Dense(4)])\nm = Model(i, Dense(1)(inner(i)))\n",
        "i = Input((3,))\nbody = Model(i, Dense(4)(i))\nm = Model(body.input, Dense(1)(body.output))\n",
    ] {
        let program = parse(text);
        let model = program.models.len() - 1;
        assert_eq!(classes(&program, model), ["Dense", "Dense"], "{text}");
        assert_eq!(units(&program, model), [Some(4), Some(1)], "{text}");
        let found = &program.models[model];
        assert!(found.complete, "{text}");
        assert_eq!(found.tail, 2, "{text}");
        assert_eq!(found.outputs, [Source::Layer(1)], "{text}");
        assert_eq!(found.layers[1].inputs, [Source::Layer(0)], "{text}");
        let Source::Input(Some(input)) = found.layers[0].inputs[0] else {
            panic!("{text}: {:?}", found.layers[0].inputs);
        };
        assert_eq!(program.call(input).callee, "keras.Input");
    }
}

#[test]
fn branches_and_merges_form_a_graph() {
    let program = parse(
        "a, b = Input((3,)), Input((4,))\nx = Dense(8)(a)\ny = Dense(8)(b)\nz = layers.concatenate([x, y])\n\
         z = layers.Dropout(0.1)(z)\nunused = Dense(99)(z)\no = Dense(1)(z)\nm = Model([a, b], o)\n\
         m.compile(loss='mse')\nm.fit(d, t)\n",
    );
    let model = &program.models[0];
    assert_eq!(model.kind, ModelKind::Functional);
    assert_eq!(
        classes(&program, 0),
        ["Dense", "Dense", "concatenate", "Dropout", "Dense"]
    );
    assert_eq!(model.layers[2].inputs, [Source::Layer(0), Source::Layer(1)]);
    assert!(model.complete);
    assert_eq!(model.tail, 3);
    assert_eq!(program.compiles[0].model, program.fits[0].model);
    assert_eq!(program.fits[0].compile, Some(program.compiles[0].call));

    let two = parse("i = Input((3,))\nx = Dense(8)(i)\nm = Model(i, {'a': Dense(1)(x), 'b': Dense(2)(x)})\n");
    assert_eq!(two.models[0].outputs, [Source::Layer(1), Source::Layer(2)]);
    assert_eq!((two.models[0].complete, two.models[0].tail), (true, 0));

    let shared = parse(
        "a, b = Input((3,)), Input((3,))\nd = Dense(8)\nx = layers.Add()([d(a), d(b)])\nm = Model([a, b], Dense(1)(x))\n",
    );
    let indices: Vec<usize> = shared.models[0].layers.iter().map(|layer| layer.index).collect();
    assert_eq!(indices, [0, 0, 1, 2]);
}

#[test]
fn what_is_computed_between_layers_is_a_gap() {
    for (text, complete, tail) in [
        ("x = Dense(4)(i)\nx = x + 1\no = Dense(1)(x)\n", false, 1),
        ("x = Dense(4)(i)\no = tf.nn.softmax(x)\n", false, 0),
        ("x = mine.Block()(i)\no = Dense(1)(Dense(4)(x))\n", false, 2),
        (
            "x = i\nif deep:\n    x = Dense(4)(x)\no = Dense(1)(x)\n",
            false,
            1,
        ),
        (
            "x = i\nif 2 > 1:\n    x = Dense(4)(x)\no = Dense(1)(x)\n",
            true,
            2,
        ),
        (
            "x = i\nfor n in sizes:\n    x = Dense(4)(x)\no = Dense(1)(x)\n",
            false,
            1,
        ),
        ("x = helper(i)\no = Dense(1)(x)\n", false, 1),
        (
            "x, h, c = layers.LSTM(3, return_state=True)(i)\no = Dense(1)(x)\n",
            true,
            2,
        ),
        ("x = layers.Lambda(f)(i)\no = Dense(1)(x)\n", true, 2),
    ] {
        let program = parse(&format!("i = Input((3,))\n{text}m = Model(i, o)\n"));
        let model = &program.models[0];
        assert_eq!((model.complete, model.tail), (complete, tail), "{text}");
    }
    let unknown = parse("m = Model(inputs, [a, b])\n");
    assert_eq!((unknown.models[0].complete, unknown.models[0].tail), (false, 0));
}

#[test]
fn subclassed_models_are_read_in_the_order_of_their_call() {
    let program = parse(
        "class Net(keras.Model):\n    def __init__(self, n):\n        super().__init__()\n        self.last = Dense(1, activation='sigmoid')\n        \
         self.first = Dense(n)\n    def call(self, x, training=None):\n        x = self.first(x)\n        return self.last(x)\n\
         net = Net(4)\nnet.compile(loss='mse')\nnet.fit(x, y)\n",
    );
    let model = &program.models[0];
    assert_eq!(model.kind, ModelKind::Subclassed);
    assert_eq!(units(&program, 0), [Some(4), Some(1)]);
    assert_eq!((model.complete, model.tail), (true, 2));
    assert!(!model.custom_loss);
    assert_eq!(program.compiles[0].model, Some(program::ModelId(0)));

    let own = parse(
        "class Net(keras.Model):\n    def train_step(self, data):\n        with tf.GradientTape() as tape:\n            pass\nnet = Net()\n",
    );
    assert!(own.models[0].custom_loss);
    let unclear = parse(
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.a = Dense(3)\n    \
         def call(self, x):\n        return tf.sigmoid(self.a(x))\nnet = Net()\n",
    );
    assert_eq!((unclear.models[0].complete, unclear.models[0].tail), (false, 0));
}

#[test]
fn backbones_are_one_layer() {
    for text in [
        "base = keras.applications.VGG16(include_top=False)\nbase.trainable = False\nm = Sequential([base, layers.Flatten(), Dense(1)])\n",
        "base = keras.applications.vgg16.VGG16(include_top=False)\nbase.trainable = False\ni = Input((3,))\nm = Model(i, Dense(1)(layers.Flatten()(base(i))))\n",
        "base = keras.applications.VGG16(include_top=False)\nbase.trainable = False\nx = layers.Flatten()(base.output)\nm = Model(inputs=base.input, outputs=Dense(1)(x))\n",
    ] {
        let program = parse(text);
        assert_eq!(program.models[0].kind, ModelKind::Backbone);
        let model = &program.models[1];
        assert_eq!(classes(&program, 1), ["VGG16", "Flatten", "Dense"], "{text}");
        assert!(model.complete, "{text}");
        assert_eq!(model.layers[0].trainable, Some(false), "{text}");
        assert_eq!(model.layers[1].trainable, None, "{text}");
    }
}

#[test]
fn calls_met_several_times_are_listed_once_and_known_each_time() {
    let program = parse(
        "def build(n):\n    m = Sequential([Dense(n), Dense(1)])\n    m.compile(loss='mse')\n    return m\na = build(4)\nb = build(8)\n",
    );
    let dense: Vec<_> = program
        .calls
        .iter()
        .filter(|call| call.class() == "Dense")
        .collect();
    assert_eq!(dense.len(), 2);
    assert_eq!(
        dense[0].argument("units").expect("units").value.value,
        Value::Unknown
    );
    assert_eq!(
        dense[1].argument("units").expect("units").value.value,
        Value::Int(1)
    );
    assert_eq!(program.models.len(), 2);
    assert_eq!(units(&program, 0), [Some(4), Some(1)]);
    assert_eq!(units(&program, 1), [Some(8), Some(1)]);
    let models: Vec<_> = program.compiles.iter().map(|compile| compile.model).collect();
    assert_eq!(models, [Some(program::ModelId(0)), Some(program::ModelId(1))]);

    let loops = parse(
        "m = Sequential()\nfor i in range(3):\n    m.add(Dense(2 ** (5 - i), activation='relu', name=f'd{i}'))\nm.add(Dense(1))\nn = Sequential([Dense(k) for k in (3, 2)])\n",
    );
    assert_eq!(units(&loops, 0), [Some(32), Some(16), Some(8), Some(1)]);
    assert_eq!(units(&loops, 1), [Some(3), Some(2)]);
    let first = loops.call(loops.models[0].layers[0].call);
    assert_eq!(
        first.argument("name").expect("name").value.value,
        Value::Str("d0".into())
    );
}

#[test]
fn values_of_keras_are_followed_through_registries_and_partial_calls() {
    let program = Program::parse(
        "from functools import partial\nimport tensorflow as tf\nConv = partial(tf.keras.layers.Conv2D, kernel_size=3, padding='same')\n\
         options = {'activation': 'relu'}\noptions['use_bias'] = False\n\
         m = tf.keras.Sequential([Conv(8, padding='valid', **options), tf.keras.layers.Dense(1, activation=tf.keras.activations.get('tanh'))])\n\
         m.compile(loss=tf.keras.losses.get('mse'), optimizer=tf.keras.optimizers.get('adam'))\n",
    );
    let conv = program.call(program.models[0].layers[0].call);
    assert_eq!(conv.callee, "keras.layers.Conv2D");
    let value = |name: &str| conv.argument(name).map(|argument| argument.value.value.clone());
    assert_eq!(value("filters"), Some(Value::Int(8)));
    assert_eq!(value("kernel_size"), Some(Value::Int(3)));
    assert_eq!(value("padding"), Some(Value::Str("valid".into())));
    assert_eq!(value("activation"), Some(Value::Str("relu".into())));
    assert_eq!(value("use_bias"), Some(Value::Bool(false)));
    assert!(!conv.open_ended);
    let compile = program.call(program.compiles[0].call);
    let loss = &compile.argument("loss").expect("loss").value;
    assert_eq!(loss.value, Value::Str("mse".into()));
    assert_eq!(
        compile.argument("optimizer").expect("optimizer").value.value,
        Value::Str("adam".into())
    );
    let dense = program.call(program.models[0].layers[1].call);
    assert_eq!(
        dense.argument("activation").expect("activation").value.value,
        Value::Str("tanh".into())
    );
}

#[test]
fn what_happens_to_a_model_is_listed_in_order() {
    let text = "base = keras.applications.VGG16()\nm = Sequential([base, Dense(1)])\nm.compile(loss='mse')\nbase.trainable = False\n\
                m.fit(x, y)\nm.evaluate(x, y)\nm.layers[0].trainable = True\n";
    let program = parse(text);
    let text = format!("{HEAD}{text}");
    let events: Vec<String> = program
        .events
        .iter()
        .map(|event| {
            let what = match event.kind {
                EventKind::Method(call) => program.call(call).class().to_owned(),
                EventKind::Trainable { value, .. } => format!("trainable {value:?}"),
            };
            format!(
                "{:?} {what} {}",
                event.model.map(|model| model.0),
                event.range.slice(&text)
            )
        })
        .collect();
    assert_eq!(
        events,
        [
            "Some(1) compile m.compile(loss='mse')",
            "Some(0) trainable Some(false) base.trainable",
            "Some(1) fit m.fit(x, y)",
            "Some(1) evaluate m.evaluate(x, y)",
            "Some(1) trainable Some(true) m.layers[0].trainable",
        ]
    );
}

#[test]
fn training_that_compile_does_not_show_is_flagged() {
    let tape = Program::parse("import tensorflow as tf\nwith tf.GradientTape() as tape:\n    pass\n");
    assert!(tape.gradient_tape && !tape.adds_loss);
    let adds = parse(
        "class Sparse(layers.Layer):\n    def call(self, x):\n        self.add_loss(0.1)\n        return x\n",
    );
    assert!(adds.adds_loss && !adds.gradient_tape);
    let model = parse("m = Sequential([Dense(1)])\nm.add_loss(f)\n");
    assert!(model.models[0].custom_loss);
    let state = parse(
        "e, d = Input((5, 3)), Input((4, 3))\n_, h, c = layers.LSTM(7, return_state=True)(e)\n\
         x = layers.LSTM(7, return_sequences=True)(d, initial_state=[h, c])\nm = Model([e, d], Dense(2)(x))\n",
    );
    assert!(state.models[0].complete);
    assert_eq!(
        state.models[0].layers[1].inputs[1..],
        [Source::Extra(0), Source::Extra(0)]
    );
}
