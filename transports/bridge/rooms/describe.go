package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// Describe implements rules.Describer: what the network can do in this room by the login of who asks.
func (r *Room) Describe(ctx context.Context, asker jid.JID) (features []string, forms []*stanza.Element) {
	p := convert.Parser{Info: r.rooms.env.Info, MaxText: r.rooms.env.Settings.Text}
	l, _ := r.loginOf(ctx, asker)
	if l != nil {
		p.Info.Caps = l.Caps(r.conv.Row.Net)
	}
	features, forms = convert.RoomFeatures(p.Info.Caps), p.RoomLimits()
	if uri := r.space(); uri != "" && l != nil { // XEP-0503 §5.5
		features, forms = append(features, pubsub.NSSpaces), append(forms, pubsub.SpaceForm(uri).Element())
	}
	return features, forms
}

// Nick implements rules.Describer: the name that the asker's login has on the network.
func (r *Room) Nick(ctx context.Context, asker jid.JID) string {
	l, _ := r.loginOf(ctx, asker)
	if l == nil {
		return ""
	}
	return convert.DisplayName(r.rooms.userOf(ctx, l))
}
