//! The functions of a script, and which of them are its losses.

use program::{Applied, Function, Statement, StatementKind, Term, TermKind, own_statements, statements};

/// A function, and what it stands in.
pub(crate) struct Defined<'a> {
    pub function: &'a Function,
    /// The name and the bases of the class it is a method of.
    pub class: Option<(&'a str, &'a [Term])>,
    /// The function it stands in.
    pub outer: Option<&'a Function>,
}

impl<'a> Defined<'a> {
    /// The names of the parameters, `self` left out.
    pub(crate) fn parameters(&self) -> Vec<&'a str> {
        let names = self.function.parameters.iter().map(|(name, _)| name.as_str());
        names
            .skip(usize::from(self.class.is_some() && !self.is_static()))
            .collect()
    }

    fn is_static(&self) -> bool {
        let is = |decorator: &Term| decorator.name() == Some("staticmethod");
        self.function.decorators.iter().any(is)
    }
}

/// All functions of a script.
pub(crate) struct Definitions<'a> {
    pub functions: Vec<Defined<'a>>,
    pub code: &'a [Statement],
}

/// What a loss of the script's own does.
pub(crate) enum LossBody<'a> {
    Function(&'a Function),
    Lambda(&'a Term),
}

/// A loss of the script's own that a model is trained with.
pub(crate) struct OwnLoss<'a> {
    /// Its name; that of the class for a class.
    pub name: &'a str,
    pub labels: &'a str,
    pub predictions: &'a str,
    pub body: LossBody<'a>,
    /// The function it is made in, with the call that makes it.
    pub made: Option<(&'a Function, &'a Applied)>,
}

impl<'a> OwnLoss<'a> {
    /// What it gives: the expressions behind `return`.
    pub(crate) fn returned(&self) -> Vec<&'a Term> {
        match self.body {
            LossBody::Lambda(body) => vec![body],
            LossBody::Function(function) => returned(function),
        }
    }
}

/// The expressions behind the `return`s of a function.
pub(crate) fn returned(function: &Function) -> Vec<&Term> {
    let values = own_statements(&function.body).into_iter();
    values
        .filter_map(|statement| match &statement.kind {
            StatementKind::Return(value) => value.as_ref(),
            _ => None,
        })
        .collect()
}

impl<'a> Definitions<'a> {
    pub(crate) fn of(code: &'a [Statement]) -> Self {
        let mut functions = Vec::new();
        collect(code, None, None, &mut functions);
        Definitions { functions, code }
    }

    /// The one function of that name that is no method.
    pub(crate) fn function(&self, name: &str) -> Option<&Defined<'a>> {
        self.only(|defined| defined.class.is_none() && defined.function.name == name)
    }

    /// The one method of that name, or function that is called as one of a module.
    fn method(&self, name: &str) -> Option<&Defined<'a>> {
        self.only(|defined| defined.function.name == name)
    }

    fn only(&self, wanted: impl Fn(&Defined<'a>) -> bool) -> Option<&Defined<'a>> {
        let mut found = self.functions.iter().filter(|defined| wanted(defined));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The function of the script that a call calls.
    pub(crate) fn called(&self, call: &Applied) -> Option<&Defined<'a>> {
        match &call.function.kind {
            TermKind::Name(name) if call.path.is_none() => self.function(name),
            TermKind::Attribute(object, name) if object.name() == Some("self") => self.method(name),
            _ => None,
        }
    }

    /// The losses of its own that the script compiles models with, and those that it differentiates itself.
    pub(crate) fn losses(&self) -> Vec<OwnLoss<'a>> {
        let mut losses: Vec<OwnLoss<'a>> = Vec::new();
        for statement in statements(self.code) {
            for term in statement.terms().into_iter().flat_map(Term::all) {
                let Some(call) = term.call().filter(|call| call.last() == Some("compile")) else {
                    continue;
                };
                let given = call.argument(1, "loss").map(parts).unwrap_or_default();
                losses.extend(given.into_iter().filter_map(|term| self.loss(term, 0)));
            }
        }
        losses.extend(self.differentiated());
        let mut known = Vec::new();
        losses.retain(|loss| {
            let at = loss.returned().first().map(|term| term.range);
            let new = !known.contains(&at);
            known.push(at);
            new
        });
        losses
    }

    /// The loss that an expression stands for.
    fn loss(&self, term: &'a Term, depth: usize) -> Option<OwnLoss<'a>> {
        const DEEPEST: usize = 4;
        if depth > DEEPEST {
            return None;
        }
        match &term.kind {
            TermKind::Name(name) => match self.function(name) {
                Some(defined) => two_parameters(&defined.function.name, defined),
                None => self.loss(self.assigned(name)?, depth + 1),
            },
            TermKind::Attribute(_, name) => {
                let defined = self.method(name)?;
                two_parameters(&defined.function.name, defined)
            }
            TermKind::Lambda(..) => lambda("lambda", term),
            TermKind::Call(call) => self.made(call),
            _ => None,
        }
    }

    /// The one value that a name of the script has.
    pub(crate) fn assigned(&self, name: &str) -> Option<&'a Term> {
        let mut values = statements(self.code)
            .into_iter()
            .filter_map(|statement| statement.value_of(name));
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// The loss that a function or class of the script makes.
    fn made(&self, call: &'a Applied) -> Option<OwnLoss<'a>> {
        let name = call.function.name().filter(|_| call.path.is_none())?;
        if let Some(defined) = self.function(name) {
            let outer = defined.function;
            let values = returned(outer);
            let [value] = values.as_slice() else { return None };
            let made = match &value.kind {
                TermKind::Lambda(..) => lambda(&outer.name, value)?,
                TermKind::Name(inner) => {
                    let inner = self.functions.iter().find(|defined| {
                        defined.function.name == *inner
                            && defined
                                .outer
                                .is_some_and(|function| std::ptr::eq(function, outer))
                    })?;
                    two_parameters(&outer.name, inner)?
                }
                _ => return None,
            };
            return Some(OwnLoss {
                made: Some((outer, call)),
                ..made
            });
        }
        let is_loss = |base: &Term| match &base.kind {
            TermKind::Name(name) | TermKind::Attribute(_, name) => name.ends_with("Loss"),
            _ => false,
        };
        let method = self.functions.iter().find(|defined| {
            defined.function.name == "call"
                && defined
                    .class
                    .is_some_and(|(class, bases)| class == name && bases.iter().any(is_loss))
        })?;
        two_parameters(method.class?.0, method)
    }

    /// The functions of labels and predictions whose value a tape differentiates as it is.
    fn differentiated(&self) -> Vec<OwnLoss<'a>> {
        let mut losses = Vec::new();
        for statement in statements(self.code) {
            for call in statement
                .terms()
                .into_iter()
                .flat_map(Term::all)
                .filter_map(Term::call)
            {
                let receiver = call.receiver().and_then(Term::name).unwrap_or_default();
                let Some(value) = call.argument(0, "target").filter(|_| {
                    call.path.is_none() && call.last() == Some("gradient") && receiver.contains("tape")
                }) else {
                    continue;
                };
                let value = match value.name() {
                    Some(name) => self.assigned(name),
                    None => Some(value),
                };
                let defined = value.and_then(Term::call).and_then(|call| {
                    let defined = self.called(call)?;
                    (call.arguments.len() == 2).then_some(defined)
                });
                losses.extend(defined.and_then(|defined| {
                    let loss = two_parameters(&defined.function.name, defined)?;
                    loss.predictions.contains("pred").then_some(loss)
                }));
            }
        }
        losses
    }
}

/// A loss, or those of a list or dict.
fn parts(term: &Term) -> Vec<&Term> {
    match &term.kind {
        TermKind::List(terms) => terms.iter().collect(),
        TermKind::Dict(items) => items.iter().map(|(_, loss)| loss).collect(),
        _ => vec![term],
    }
}

fn two_parameters<'a>(name: &'a str, defined: &Defined<'a>) -> Option<OwnLoss<'a>> {
    let parameters = defined.parameters();
    // What is behind labels and predictions has a default, or Keras could not call it.
    let rest = defined.function.parameters.iter().rev();
    let rest = rest.take(parameters.len().saturating_sub(2));
    if !rest.into_iter().all(|(_, default)| default.is_some()) {
        return None;
    }
    Some(OwnLoss {
        name,
        labels: parameters.first()?,
        predictions: parameters.get(1)?,
        body: LossBody::Function(defined.function),
        made: None,
    })
}

fn lambda<'a>(name: &'a str, term: &'a Term) -> Option<OwnLoss<'a>> {
    let TermKind::Lambda(parameters, body) = &term.kind else {
        return None;
    };
    let [labels, predictions] = parameters.as_slice() else {
        return None;
    };
    Some(OwnLoss {
        name,
        labels,
        predictions,
        body: LossBody::Lambda(body),
        made: None,
    })
}

fn collect<'a>(
    block: &'a [Statement],
    class: Option<(&'a str, &'a [Term])>,
    outer: Option<&'a Function>,
    found: &mut Vec<Defined<'a>>,
) {
    for statement in block {
        match &statement.kind {
            StatementKind::Function(function) => {
                found.push(Defined {
                    function,
                    class,
                    outer,
                });
                collect(&function.body, None, Some(function), found);
            }
            StatementKind::Class(name, bases, body) => collect(body, Some((name, bases)), outer, found),
            StatementKind::If(_, body, other) => {
                collect(body, class, outer, found);
                collect(other, class, outer, found);
            }
            StatementKind::For(_, _, body)
            | StatementKind::While(_, body)
            | StatementKind::With(_, body)
            | StatementKind::Other(body) => collect(body, class, outer, found),
            _ => {}
        }
    }
}
