//! Routes: the handlers of the operations. There is no route without an operation.

use axum::{
    Router,
    handler::Handler,
    middleware,
    routing::{MethodRouter, on},
};

use super::{
    Web,
    error_pages::{method_not_allowed, not_found},
    extract,
    operation::Operation,
};

/// Operations with their handlers.
pub(super) struct Routes(Router<Web>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(Router::new())
    }

    /// Serves an operation with a handler.
    pub(super) fn on<H, T>(self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        self.mount(&[operation], on(operation.filter, handler))
    }

    /// Serves operations of one path with what another edge brings for them.
    #[expect(clippy::disallowed_methods, reason = "the path is that of an operation")]
    pub(super) fn mount(self, operations: &[Operation], methods: MethodRouter<Web>) -> Self {
        let path = operations.first().map_or("/", |operation| operation.path);
        Self(self.0.route(path, methods))
    }

    /// The router of these routes.
    pub(super) fn router(self) -> Router<Web> {
        let preferences = middleware::from_fn(extract::load_preferences);
        self.0.method_not_allowed_fallback(method_not_allowed.layer(preferences))
    }

    /// The same; it also answers what no route takes.
    pub(super) fn router_of_the_rest(self) -> Router<Web> {
        let preferences = middleware::from_fn(extract::load_preferences);
        self.router().fallback(not_found.layer(preferences))
    }
}
