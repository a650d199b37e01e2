package convert

import (
	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// CapsNode names the software in capabilities (XEP-0115 §4).
const CapsNode = "https://github.com/dragoman-im/dragoman"

// Software is what a gateway calls itself.
func Software(network transports.Info) string { return "Dragoman " + network.Name + " gateway" }

// Version is XEP-0092.
func Version(network transports.Info, version string) *stanza.Element {
	return stanza.NewElement(NSVersion, "query").Add(
		stanza.TextElement(NSVersion, "name", Software(network)), stanza.TextElement(NSVersion, "version", version))
}

// GatewayInfo describes a gateway (XEP-0030, XEP-0100 §6).
func GatewayInfo(network transports.Info, version string) disco.Info {
	return disco.Info{
		// No identity of category conference, though the gateway lists its rooms: clients such as Dino take a chat with an address that
		// has one for a private chat in a room.
		Identities: []disco.Identity{{Category: "gateway", Type: network.Type, Name: network.Name}, {Category: "pubsub", Type: "service", Name: network.Name}},
		Features: []string{
			NSDiscoInfo, NSDiscoItems, NSCommands, NSRegister, NSSearch, NSGateway, NSPing, NSVersion, NSLast, NSVCard, NSMUC, NSRSM, channelsearch.NS, disco.NSCaps, disco.NSCaps2,
			pubsub.NS, pubsub.NS + "#retrieve-items", pubsub.NS + "#meta-data", pubsub.NS + "#retrieve-affiliations", pubsub.NSSpaces, // XEP-0503, read only
		},
		Forms: []*form.Form{disco.SoftwareForm(Software(network), version, "")}, // XEP-0232
	}
}

// ContactInfo describes a person of the network, by what the network can do.
func ContactInfo(network transports.Info, u transports.UserInfo) disco.Info {
	kind := "pc"
	if u.Bot {
		kind = "bot"
	}
	info := disco.Info{
		Identities: []disco.Identity{{Category: "client", Type: kind, Name: DisplayName(u)}, {Category: "account", Type: "registered"}},
		Features:   []string{NSDiscoInfo, NSDiscoItems, NSPing, NSVersion, NSVCard, NSReceipts, NSReply},
	}
	caps := network.Caps
	info.Features = append(info.Features, declared{{caps.Edit, NSCorrect}, {caps.Delete, NSRetract}, {caps.React, NSReactions}, {caps.Typing, NSStates}, {caps.Read, NSMarkers}}.features()...)
	return info
}
