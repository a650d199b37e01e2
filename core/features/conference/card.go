package conference

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// card answers requests for the vCard of a room, with its avatar, and lets owners change it (XEP-0486 §3). An empty one is removed.
func (o *owner) card(ctx context.Context, r *room.Room, q room.Query) (*stanza.Element, error) {
	info := r.Info()
	if q.Stanza.Type == stanza.TypeGet {
		if info.VCard == "" {
			return stanza.NewElement(muc.NSVCard, "vCard"), nil // XEP-0054 §3.1
		}
		return stanza.ParseElement(info.VCard, "")
	}
	if !o.mayConfigure(r, q) {
		return nil, stanza.Forbidden("Only owners may change the avatar and the card of the room.")
	}
	x := q.Stanza.FirstChild()
	text := x.String()
	if len(text) > o.service.CardBytes {
		return nil, stanza.NotAcceptable("This card is too large.")
	}
	info.VCard, info.AvatarHash = "", ""
	if len(x.Nodes) > 0 {
		info.VCard = text
	}
	if photo := x.Child(muc.NSVCard, "PHOTO"); photo != nil {
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(photo.ChildText(muc.NSVCard, "BINVAL")), ""))
		if err != nil {
			return nil, stanza.BadRequest("The picture is not in base64.")
		}
		if len(data) > 0 {
			sum := sha1.Sum(data) // XEP-0153 §2.1
			info.AvatarHash = hex.EncodeToString(sum[:])
		}
	}
	return nil, r.SetInfo(ctx, info)
}

// mayConfigure reports whether the sender of a request is an owner of the room.
func (o *owner) mayConfigure(r *room.Room, q room.Query) bool {
	if q.From != nil {
		return q.From.Affiliation == rules.AffOwner
	}
	who, _ := r.Outside(q.Stanza.From.Bare())
	return who.Affiliation == rules.AffOwner
}

// listed refuses who is on a list of those that send spam, by the address or by the occupant id.
func (o *owner) listed(who room.Occupant) error {
	if o.service.Listed != nil && !who.Affiliation.AtLeast(rules.AffMember) && o.service.Listed(who.JID.Bare(), who.ID) {
		return stanza.Forbidden("Your address is on a list of those that send spam.")
	}
	return nil
}
