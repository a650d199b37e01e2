package stream

import "github.com/dragoman-im/dragoman/core/stanza"

// NSTLS is the namespace of STARTTLS.
const NSTLS = "urn:ietf:params:xml:ns:xmpp-tls"

// StartTLSFeature returns the feature that offers STARTTLS. RFC 6120 §5.4.1.
func StartTLSFeature(required bool) *stanza.Element {
	f := stanza.NewElement(NSTLS, "starttls")
	if required {
		f.Add(stanza.NewElement(NSTLS, "required"))
	}
	return f
}

// AppendProceed asks the peer to begin the handshake. Nothing may follow it, and what
// the peer has sent after its request must be discarded: see Scanner.Reset.
func AppendProceed(dst []byte) []byte { return append(dst, "<proceed xmlns='"+NSTLS+"'/>"...) }

// AppendTLSFailure appends the refusal of STARTTLS to dst; the end of the stream must follow. RFC 6120 §5.4.2.2.
func AppendTLSFailure(dst []byte) []byte { return append(dst, "<failure xmlns='"+NSTLS+"'/>"...) }
