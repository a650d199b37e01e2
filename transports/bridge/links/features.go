package links

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// readFeatures reads what the room can do from its answer to disco#info.
func (l *link) readFeatures(answer *stanza.Stanza) {
	var features []string
	for f := range answer.Child(convert.NSDiscoInfo, "query").Named(convert.NSDiscoInfo, "feature") {
		features = append(features, f.Attr("var"))
	}
	has := func(feature string) bool { return slices.Contains(features, feature) }
	l.room.undescribed = false
	l.room.archive = has(convert.NSMAM)
	l.room.oldModeration = has(convert.NSModerateOld) && !has(convert.NSModerate)
	l.room.ids = has(message.NSStanzaID) || l.room.archive // XEP-0359 §6; an archive has to follow the same rules (XEP-0313 §3.5)
	l.room.occupantIDs = has(convert.NSOccupantID)         // XEP-0421 §4: else the element must be ignored
}

// askFeatures asks an entered room again what it can do.
func (l *link) askFeatures(then func(ctx context.Context)) {
	l.ask(l.row.Address, stanza.TypeGet, stanza.NewElement(convert.NSDiscoInfo, "query"), func(ctx context.Context, answer *stanza.Stanza) {
		switch {
		case answer == nil:
		case answer.Type == stanza.TypeError:
			l.distrust()
		default:
			l.readFeatures(answer)
		}
		then(ctx)
	})
}

// distrust makes the link ignore all ids that occupants could forge, until the room has announced that it sets them itself.
func (l *link) distrust() { l.room.ids, l.room.occupantIDs = false, false }

// reconfigured reports whether a message of the room says that its configuration has changed (XEP-0045 §10.2.1).
func reconfigured(st *stanza.Stanza) bool {
	x := st.Child(convert.NSMUCUser, "x")
	return st.From.Resource() == "" && x != nil && hasStatus(x, "104")
}

// roomID is the id that the room has given a message (XEP-0359 §3).
func (l *link) roomID(st *stanza.Stanza) string {
	if !l.room.ids {
		return ""
	}
	for e := range st.Tree().Named(message.NSStanzaID, "stanza-id") {
		if e.Attr("by") == l.row.Address.String() && len(e.Attr("id")) <= maxIDBytes {
			return e.Attr("id")
		}
	}
	return ""
}

// maxIDBytes is the longest id that is kept.
const maxIDBytes = 4 * convert.MaxID

// authorOf names the author of a message within the linked room, by what the room itself guarantees: the occupant id (XEP-0421), else the
// address that it shows of the occupant, else the stay of the occupant who has the nickname now. Of a past message without an occupant id only
// the nickname of its author is known, which others may have had before and since: such a message has an author of its own.
// It is never "", which stands for the channel.
func (l *link) authorOf(st *stanza.Stanza, replayed bool) string {
	if x := st.Child(convert.NSOccupantID, "occupant-id"); l.room.occupantIDs && x != nil && x.Attr("id") != "" && len(x.Attr("id")) <= maxIDBytes {
		return x.Attr("id")
	}
	nick := st.From.Resource()
	if nick == "" {
		return "/"
	}
	o := l.room.occupants[nick]
	switch {
	case replayed || o.stay == "" || st.MayHave(message.NSDelay, "delay"): // history (XEP-0045 §7.2.15)
		return unknownAuthor + convert.Hash(nick, st.ID)
	case !o.jid.IsZero():
		return "/jid " + o.jid.Bare().String()
	}
	return "/stay " + o.stay
}

// unknownAuthor begins the names of authors of whom only the nickname is known.
const unknownAuthor = "/then "

// unnumbered names a message of a room that gives its messages no ids, the same for all links of the room.
func unnumbered(st *stanza.Stanza) string {
	return "/" + convert.Hash(st.From.Resource(), st.ID, st.Body())
}
