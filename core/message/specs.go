package message

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0082", Title: "XMPP Date and Time Profiles", Version: "1.1.1", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0203", Title: "Delayed Delivery", Version: "2.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0334", Title: "Message Processing Hints", Version: "1.0.0", State: spec.Partial, Note: "Server and gateways."},
		{Number: "0359", Title: "Unique and Stable Stanza IDs", Version: "0.7.0", State: spec.Complete, Note: "Server and gateways."},
	}
}
