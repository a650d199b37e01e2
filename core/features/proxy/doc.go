// Package proxy lets the accounts of a host use its relay for bytestreams: clients find it at a domain of its own, ask for its address, and
// activate a stream when both sides are connected. Only accounts of the host may do either.
//
// Specification: XEP-0065.
package proxy
