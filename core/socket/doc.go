// Package socket is the TCP and TLS connections below a stream.
//
// A Conn can change to TLS in place (STARTTLS), be asked to write no more than the operating system takes
// at once, and end its own direction before it is closed. ServerTLS and OwnCertificate configure the accepting side
// of TLS; Exporter and EndPoint are the channel bindings of SASL.
//
// One goroutine reads a Conn and one writes it at a time. The package starts no goroutine. Its only lock is
// held while a system call writes that does not block.
//
// Specifications: RFC 6120 §5, RFC 7590, RFC 9266, RFC 5929 §4, XEP-0368.
package socket
