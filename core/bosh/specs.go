package bosh

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0124", Title: "Bidirectional-streams Over Synchronous HTTP (BOSH)", Version: "1.11.2", State: spec.Complete, Note: "Server. Without the options: several streams in a session, acknowledgements, compressed bodies."},
		{Number: "0206", Title: "XMPP Over BOSH", Version: "1.4", State: spec.Complete, Note: "Server. At /http-bind."},
	}
}
