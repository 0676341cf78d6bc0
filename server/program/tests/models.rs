//! What [`Program::parse`] reads from scripts as people write them.

use program::{ModelKind, Program, Value};

fn layers(program: &Program, model: usize) -> Vec<&str> {
    program.models[model]
        .layers
        .iter()
        .map(|layer| program.call(layer.call).class())
        .collect()
}

#[test]
fn the_same_model_is_read_whichever_way_it_is_written() {
    let scripts = [
        "import keras\nmodel = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])\n",
        "import tensorflow as tf\nmodel = tf.keras.models.Sequential(layers=[tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])\n",
        "from tensorflow import keras\nfrom tensorflow.keras.layers import Dense as D\nmodel = keras.Sequential((D(4), D(1)))\n",
        "from keras import layers, Sequential\nmodel = Sequential()\nmodel.add(layers.Input((3,)))\nmodel.add(layers.Dense(4))\nmodel.add(layers.Dense(1))\n",
        "import tensorflow.keras.layers as L\nimport tensorflow.keras as k\nmodel = k.Sequential([L.InputLayer(shape=(3,)), L.Dense(4), L.Dense(1)], name='m')\n",
        "from keras.models import *\nfrom keras.layers import *\nmodel = Sequential([Dense(4), Dense(1)])\n",
        "import tensorflow as tf\nlayers = tf.keras.layers\nDense = layers.Dense\nmodel = tf.keras.Sequential([Dense(4), Dense(1)])\n",
        "from tensorflow.python.keras.layers.core import Dense\nfrom tensorflow.python.keras.models import Sequential\nmodel = Sequential([Dense(4), Dense(1)])\n",
        "try:\n    from keras import Sequential, layers\nexcept ImportError:\n    from tensorflow.keras import Sequential, layers\nhidden = layers.Dense(4)\nstack = [hidden, layers.Dense(1)]\nmodel = Sequential(stack)\n",
        "import keras\ndef build():\n    net = keras.Sequential()\n    net.add(keras.layers.Dense(4))\n    net.add(layer=keras.layers.Dense(1))\n    return net\nmodel = build()\n",
        "import keras\ndef main():\n    model = build()\n    model.compile('sgd', 'mse')\ndef build():\n    return keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])\nif __name__ == '__main__':\n    main()\n",
        "import keras\nfor fold in range(3):\n    model = keras.Sequential()\n    model.add(keras.layers.Dense(4))\n    model.add(keras.layers.Dense(1))\n",
    ];
    for script in scripts {
        let program = Program::parse(script);
        assert_eq!(program.models.len(), 1, "{script}");
        assert_eq!(program.models[0].kind, ModelKind::Sequential);
        assert_eq!(layers(&program, 0), ["Dense", "Dense"], "{script}");
        assert!(program.models[0].complete, "{script}");
        assert_eq!(program.models[0].tail, 2, "{script}");
        let units = program
            .call(program.models[0].layers[0].call)
            .argument("units")
            .expect("units");
        assert_eq!(units.value.value, Value::Int(4), "{script}");
    }
}

#[test]
fn what_is_conditional_is_not_guessed() {
    let head = "import keras\nfrom keras.layers import Dense\nmodel = keras.Sequential()\n";
    for (rest, complete, tail) in [
        ("model.add(Dense(4))\nmodel.add(Dense(1))\n", true, 2),
        (
            "for n in (8, 4):\n    model.add(Dense(n))\nmodel.add(Dense(1))\n",
            false,
            1,
        ),
        (
            "model.add(Dense(4))\nif deep:\n    model.add(Dense(4))\n",
            false,
            0,
        ),
        ("model.add(Dense(4))\nmodel.add(hub.KerasLayer(url))\n", false, 0),
        ("model.add(hub.KerasLayer(url))\nmodel.add(Dense(1))\n", false, 1),
        ("model.add(Dense(4))\nmodel.pop()\n", false, 0),
        ("model.add(Dense(4))\nfinish(model)\n", false, 0),
        ("model.add(Dense(4))\nprint(model)\n", true, 1),
        (
            "def show(m):\n    m.summary()\nmodel.add(Dense(4))\nshow(model)\n",
            true,
            1,
        ),
        (
            "model.add(Dense(4))\nmodel.compile('sgd', 'mse')\nreport(model)\n",
            true,
            1,
        ),
        ("model.add(Dense(4))\nmodel.layers[-1].activation = f\n", false, 0),
        ("model.add(Dense(4))\nmodel.layers.pop()\n", false, 0),
        (
            "def grow():\n    model.add(Dense(4))\ngrow()\nmodel.add(Dense(1))\n",
            false,
            0,
        ),
        ("with strategy.scope():\n    model.add(Dense(1))\n", true, 1),
    ] {
        let program = Program::parse(&format!("{head}{rest}"));
        assert_eq!(
            (program.models[0].complete, program.models[0].tail),
            (complete, tail),
            "{rest}"
        );
    }
    let lists = "stack = [Dense(4)]\nstack.append(Dense(2))\n";
    let program = Program::parse(&format!("{head}{lists}m2 = keras.Sequential(stack)\n"));
    assert!(
        !program.models[1].complete,
        "a list that grows is not what it was"
    );
    let splat = Program::parse(&format!("{head}m2 = keras.Sequential([*blocks, Dense(1)])\n"));
    assert_eq!((splat.models[1].complete, splat.models[1].tail), (false, 1));
}

#[test]
fn compile_and_fit_find_their_model() {
    let program = Program::parse(
        "import keras\nfrom keras.layers import Dense\n\
         a = keras.Sequential([Dense(1)])\na.compile('sgd', 'mse')\na.fit(x, y)\n\
         a = keras.Sequential([Dense(2)])\na.compile('adam', loss='mae')\na.fit(x, y, epochs=2)\na.predict(x)\n\
         clf = SVC()\nclf.fit(x, y)\nre.compile('x')\n\
         b.compile(optimizer='sgd', loss='mse')\nb.fit(x, y)\nself.model.fit(x, y, epochs=3)\n",
    );
    assert_eq!(program.models.len(), 2);
    let models: Vec<_> = program
        .compiles
        .iter()
        .map(|compile| compile.model.map(|model| model.0))
        .collect();
    assert_eq!(models, [Some(0), Some(1), None]);
    let fits: Vec<_> = program
        .fits
        .iter()
        .map(|fit| (fit.model.map(|model| model.0), fit.compile))
        .collect();
    let compile = |index: usize| Some(program.compiles[index].call);
    assert_eq!(
        fits,
        [
            (Some(0), compile(0)),
            (Some(1), compile(1)),
            (None, compile(2)),
            (None, None)
        ]
    );
    let second = program.call(program.compiles[0].call);
    assert_eq!(
        second.argument("loss").expect("positional loss").value.value,
        Value::Str("mse".into())
    );
    assert!(program.calls.iter().any(|call| call.callee == "Model.predict"));
}

#[test]
fn a_model_chosen_by_a_condition_is_not_known() {
    let program = Program::parse(
        "import keras\nfrom keras.layers import Dense\nmodel = keras.Sequential([Dense(1)])\n\
         if wide:\n    model = keras.Sequential([Dense(2)])\nmodel.compile('sgd', 'mse')\nmodel.compile(loss='mse')\n",
    );
    let models: Vec<_> = program.compiles.iter().map(|compile| compile.model).collect();
    assert_eq!(
        models,
        [None],
        "only the call that can be nothing else is recorded"
    );
    let several = Program::parse(
        "import keras\nfrom keras.layers import Dense\ndef build(wide):\n    if wide:\n        return keras.Sequential([Dense(2)])\n    \
         return keras.Sequential([Dense(1)])\nmodel = build(True)\nmodel.compile(loss='mse')\n",
    );
    assert_eq!(several.compiles[0].model, None);
}

#[test]
fn values_are_read_through_names_and_arithmetic() {
    let value = |setup: &str, value: &str| {
        let program = Program::parse(&format!("import keras\n{setup}\nkeras.layers.Dense({value})\n"));
        program.calls[0].arguments[0].value.value.clone()
    };
    assert_eq!(value("", "-3"), Value::Int(-3));
    assert_eq!(value("", "1e-3"), Value::Float(0.001));
    assert_eq!(value("", "2 ** 5"), Value::Int(32));
    assert_eq!(value("", "0x1F"), Value::Int(31));
    assert_eq!(value("", "'relu'"), Value::Str("relu".into()));
    assert_eq!(value("N = 10", "N * (N + 1) // 2"), Value::Int(55));
    assert_eq!(value("rate, n = 0.5, 3", "n"), Value::Int(3));
    assert_eq!(value("a = b = 7", "a"), Value::Int(7));
    assert_eq!(value("N: int = 10", "N"), Value::Int(10));
    assert_eq!(
        value("", "keras.activations.relu"),
        Value::Reference("keras.activations.relu".into())
    );
    assert_eq!(value("", "1 / 0"), Value::Unknown);
    assert_eq!(value("", "f'{n}'"), Value::Unknown);
    for unknown in [
        "N = 1\nN = 2",
        "N = 1\nN += 1",
        "N = 1\ndel N",
        "if a:\n    N = 1",
        "while a:\n    N = 1",
        "try:\n    N = 1\nexcept E:\n    pass",
        "for N in range(3):\n    pass",
        "with open(f) as N:\n    pass",
        "N = 1\ndef f():\n    global N\n    N = 2",
        "def f(N):\n    pass",
        "N = [1]\nN.append(2)",
        "N = {}\nN['a'] = 2",
    ] {
        assert_eq!(value(unknown, "N"), Value::Unknown, "{unknown}");
    }
}

#[test]
fn an_expression_keeps_the_place_where_it_is_used_and_where_it_was_defined() {
    let text = "import keras\nUNITS = 10\nkeras.layers.Dense(units=UNITS)\n";
    let program = Program::parse(text);
    let argument = &program.calls[0].arguments[0];
    assert_eq!(argument.range.slice(text), "units=UNITS");
    assert_eq!(argument.name_range.expect("keyword").slice(text), "units");
    assert_eq!(argument.value.range.slice(text), "UNITS");
    assert_eq!(argument.value.origin.slice(text), "10");
    let call = program.call_at(program.calls[0].range).expect("exact range");
    assert_eq!(call.callee, "keras.layers.Dense");
    let start = program.calls[0].range.start;
    assert!(
        program
            .call_at(finding::Range::new(start + 3, start + 4))
            .is_some()
    );
    assert!(program.call_at(finding::Range::new(0, 3)).is_none());
}

#[test]
fn star_arguments_leave_a_call_open() {
    let program = Program::parse(
        "import keras\nkeras.layers.Dense(4, **options)\nkeras.layers.Dense(*args)\nkeras.layers.Dense(4)\n",
    );
    assert_eq!(
        program
            .calls
            .iter()
            .map(|call| call.open_ended)
            .collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[test]
fn other_packages_are_left_alone() {
    let program = Program::parse(
        "from sklearn.layers import Dense\nfrom mine import keras\nDense(1)\nkeras.layers.Dense(2)\nfrom .keras import x\nx.y()\n",
    );
    assert!(program.calls.is_empty());
    assert!(!program.legacy_keras);
    assert!(Program::parse("import tf_keras as keras\n").legacy_keras);
}
