// Package socket is the TCP and TLS connections below a stream.
//
// A Conn can change to TLS in place (STARTTLS), write without blocking, and end its direction before it
// is closed. ServerTLS and SelfSignedCertificate configure the accepting side
// of TLS; Exporter and EndPoint compute the channel bindings of SASL.
//
// A Watcher waits for input on many of them.
//
// At a time one goroutine may read a Conn and one may write it. The package starts no goroutine. The lock of
// rawSocket is held during non-blocking writes only; the lock of SelfSignedCertificate while it reads or creates the file.
//
// Specifications: RFC 6120 §5, RFC 7590, RFC 9266, RFC 5929 §4, XEP-0368.
package socket
