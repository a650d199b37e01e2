package archive

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0297", Title: "Stanza Forwarding", Version: "1.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0313", Title: "Message Archive Management", Version: "1.1.3", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0424", Title: "Message Retraction", Version: "0.4.2", State: spec.Complete, Note: "Server and gateways, with tombstones in archives."},
		{Number: "0431", Title: "Full Text Search in MAM", Version: "0.2.0", State: spec.Complete, Note: "Server and gateways: words, all of which must be there, and phrases in quotes."},
	}
}
