package room

import (
	"github.com/dragoman-im/dragoman/core/spec"
)

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0045", Title: "Multi-User Chat", Version: "1.35.5", State: spec.Partial, Note: "Server, at the domain conference. and the host, and gateways, whose rooms are the networks' channels."},
		{Number: "0317", Title: "Hats", Version: "0.3.1", State: spec.Complete, Note: "Server, where owners manage them, and gateways, where they are the roles of the network."},
		{Number: "0410", Title: "MUC Self-Ping (Schrödinger's Chat)", Version: "1.1.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0421", Title: "Occupant identifiers for semi-anonymous MUCs", Version: "1.0.1", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0425", Title: "Moderated Message Retraction", Version: "0.3.0", State: spec.Complete, Note: "Server and gateways; the rooms of the server understand the namespace of version 0.2 too."},
		{Number: "0463", Title: "MUC Affiliations Versioning", Version: "0.2.0", State: spec.Complete, Note: "Server. The last 500 changes are kept; long lists come in several messages."},
		{Number: "0500", Title: "MUC Slow Mode", Version: "0.1.1", State: spec.Complete},
		{Number: "0486", Title: "MUC Avatars", Version: "0.1.0", State: spec.Complete, Note: "Server and gateways."},
	}
}
