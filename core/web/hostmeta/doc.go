// Package hostmeta publishes how the hosts of the server can be reached, as documents that programs which cannot ask the DNS for services
// find by the name of a host: in XML and in JSON (RFC 6415, XEP-0156).
//
// Specifications: XEP-0156, RFC 6415.
package hostmeta
