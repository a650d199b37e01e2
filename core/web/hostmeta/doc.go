// Package hostmeta publishes how the hosts of the server can be reached, as documents that programs which cannot ask the DNS for services
// find by the name of a host: in XML and in JSON (RFC 6415, XEP-0156). Where the server knows its public addresses, the form in JSON has all
// that clients and other servers need to connect (XEP-0487).
//
// Specifications: XEP-0156, XEP-0487, RFC 6415.
package hostmeta
