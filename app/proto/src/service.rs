//! gRPC methods by path, from the descriptors.

use prost_reflect::MethodDescriptor;

use crate::descriptor_pool;

/// The method at a gRPC path such as `/cosmos.bank.v1beta1.Query/Balance`.
pub fn method(path: &str) -> Option<MethodDescriptor> {
    let (service_name, method_name) = path.strip_prefix('/')?.split_once('/')?;
    let service = descriptor_pool().get_service_by_name(service_name)?;
    service.methods().find(|method| method.name() == method_name)
}

/// Every method of every service, with its gRPC path.
pub fn methods() -> Vec<(String, MethodDescriptor)> {
    let services = descriptor_pool().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), method)).collect()
}

/// The type URL of the response to a message of a `Msg` service, given the type URL of the message.
pub fn response_type_url(request_type_url: &str) -> Option<String> {
    let request_name = crate::type_name_of_url(request_type_url)?;
    let services = descriptor_pool().services().filter(|service| service.name() == "Msg");
    let mut methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let method = methods.find(|method| method.input().full_name() == request_name)?;
    Some(format!("/{}", method.output().full_name()))
}
