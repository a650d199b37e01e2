// Package serverinfo publishes with which domains a host has connections, at the node "serverinfo" of the host's publish-subscribe service
// (XEP-0485), where the operator wants that. The name of another domain is published only while its own service discovery says that it takes
// part; the others are counted without a name.
//
// Run has the only goroutine. Answers to questions come by other goroutines; Info.mu guards what they say, and is a leaf.
//
// Specifications: XEP-0485, XEP-0157, XEP-0060.
package serverinfo
