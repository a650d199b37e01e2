package bridge

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the gateways implement.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0066", Title: "Out of Band Data", Version: "1.5", State: spec.Partial, Note: "Gateways. Addresses of files."},
		{Number: "0264", Title: "Jingle Content Thumbnails", Version: "0.4.2", State: spec.Partial, Note: "Gateways. Of pictures, where the network has them, by their addresses."},
		{Number: "0085", Title: "Chat State Notifications", Version: "2.1", State: spec.Complete, Note: "Gateways. If the network reports who is typing."},
		{Number: "0100", Title: "Gateway Interaction", Version: "1.0", State: spec.Partial, Note: "Gateways. What newer specifications have not replaced."},
		{Number: "0106", Title: "JID Escaping", Version: "1.1.1", State: spec.Complete, Note: "Gateways."},
		{Number: "0144", Title: "Roster Item Exchange", Version: "1.1.1", State: spec.Partial, Note: "Gateways. Contacts are suggested where the server does not let us set rosters."},
		{Number: "0153", Title: "vCard-Based Avatars", Version: "1.1.1", State: spec.Partial, Note: "Gateways; in the server converted from and to XEP-0084."},
		{Number: "0172", Title: "User Nickname", Version: "1.1", State: spec.Partial, Note: "Gateways."},
		{Number: "0184", Title: "Message Delivery Receipts", Version: "1.4.0", State: spec.Partial, Note: "Gateways. The network has the message."},
		{Number: "0201", Title: "Best Practices for Message Threads", Version: "1.0", State: spec.Partial, Note: "Gateways."},
		{Number: "0245", Title: "The /me Command", Version: "1.0", State: spec.Complete, Note: "Gateways."},
		{Number: "0249", Title: "Direct MUC Invitations", Version: "1.2", State: spec.Partial, Note: "Gateways. Rooms that a linked account has come to, where the server does not let us make bookmarks."},
		{Number: "0308", Title: "Last Message Correction", Version: "1.2.1", State: spec.Complete, Note: "Gateways."},
		{Number: "0319", Title: "Last User Interaction in Presence", Version: "1.0.2", State: spec.Partial, Note: "Gateways."},
		{Number: "0333", Title: "Displayed Markers", Version: "1.0.0", State: spec.Partial, Note: "Gateways."},
		{Number: "0382", Title: "Spoiler messages", Version: "0.2.0", State: spec.Partial, Note: "Gateways. Of files that the network hides."},
		{Number: "0393", Title: "Message Styling", Version: "1.1.1", State: spec.Complete, Note: "Gateways."},
		{Number: "0394", Title: "Message Markup", Version: "0.3.0", State: spec.Partial, Note: "Gateways. Beside the styling of messages from a network."},
		{Number: "0428", Title: "Fallback Indication", Version: "0.2.1", State: spec.Complete, Note: "Gateways."},
		{Number: "0444", Title: "Message Reactions", Version: "0.2.1", State: spec.Complete, Note: "Gateways."},
		{Number: "0446", Title: "File metadata element", Version: "0.2.0", State: spec.Partial, Note: "Gateways. No hashes: a file is read only when somebody asks for it."},
		{Number: "0447", Title: "Stateless file sharing", Version: "0.3.1", State: spec.Partial, Note: "Gateways. Files by their addresses; no sources that are attached later."},
		{Number: "0461", Title: "Message Replies", Version: "0.2.1", State: spec.Complete, Note: "Gateways."},
	}
}
