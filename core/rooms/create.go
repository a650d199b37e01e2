package rooms

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// entering reports whether a stanza is a request to enter a room (XEP-0045 §7.2).
func entering(st *stanza.Stanza) bool {
	return st.Kind == stanza.Presence && st.Type == "" && st.Child(muc.NS, "x") != nil
}

// create creates the room that st requests to enter (XEP-0045 §10.1). If the room exists but
// is hidden from the sender, the answer is the same as for a room that does not exist.
func (h *Entry) create(ctx context.Context, st *stanza.Stanza) error {
	if st.To.Resource() == "" {
		return stanza.JIDMalformed("Choose a nickname to enter the room.")
	}
	who := st.From.Bare()
	first, err := h.service.opts.Policy.Create(ctx, who, h.at)
	if err == nil && h.room != nil {
		err = missing()
	}
	if err != nil {
		return err
	}
	if h.service.opts.Store == nil {
		return errors.New("a room cannot be created without a store")
	}
	first.Affiliations = withOwner(first.Affiliations, who)
	c := room.Change{Created: true, Info: &first.Info, Config: &first.Config}
	if first.Subject != (room.Subject{}) {
		c.Subject = &first.Subject
	}
	for j, e := range first.Affiliations {
		c.Lists = append(c.Lists, affiliations.Change{JID: j, Entry: e})
	}
	first.Versions = []affiliations.Version{affiliations.FirstVersion()}
	c.Versions = first.Versions
	if err := h.save(ctx, c); err != nil {
		return fmt.Errorf("create room %s: %w", h.at, err)
	}
	return h.open(ctx, &first, true)
}

// withOwner adds who as the owner if there is none (XEP-0045 §10.1.1).
func withOwner(lists map[jid.JID]affiliations.Entry, who jid.JID) map[jid.JID]affiliations.Entry {
	for _, e := range lists {
		if e.Affiliation == rules.AffOwner {
			return lists
		}
	}
	owned := map[jid.JID]affiliations.Entry{who: {Affiliation: rules.AffOwner}}
	maps.Copy(owned, lists)
	owned[who] = affiliations.Entry{Affiliation: rules.AffOwner}
	return owned
}
