package s2s

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0185", Title: "Dialback Key Generation and Validation", Version: "1.0", State: spec.Complete},
		{Number: "0220", Title: "Server Dialback", Version: "1.1.1", State: spec.Complete, Note: "Several domains of ours share a connection to one domain of another server; several domains of that server do not."},
		{Number: "0288", Title: "Bidirectional Server-to-Server Connections", Version: "1.0.1", State: spec.Complete, Note: "This server asks for it where federation.bidirectional is \"ask\". Such streams are not resumed."},
	}
}
