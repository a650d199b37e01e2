// Package revoked knows which certificates of clients and of other servers their authorities have revoked, from certificate revocation lists in files.
//
// A certificate is compared with the lists of its issuer, and the issuer's with those of its own, up to an authority that is trusted. A
// list counts only if the issuer has signed it; what a list revokes that has become out of date stays revoked, but it says nothing about
// others. Lists with critical extensions, such as those of a part of the certificates or of several issuers, are not used
// (RFC 5280 §5.2). The files are read again when they have changed.
//
// There is no goroutine. Lists.mu is held while files are read, which is once in a second at most.
//
// Specifications: RFC 5280 §5 and §6.3.
package revoked
