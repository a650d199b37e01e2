package room

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// itemsAtOnce is how many affiliations one message has.
const itemsAtOnce = 500

// listedAffiliations are those that have lists.
var listedAffiliations = []rules.Affiliation{rules.AffOwner, rules.AffAdmin, rules.AffMember, rules.AffOutcast}

// reader is somebody who may read some of the lists of affiliations (XEP-0463 §5.2.3).
type reader struct {
	config *rules.Config
	rules.Rights
}

func (r *Room) reader(s *occupants.Session) reader {
	return reader{&r.config, rules.Rights{Role: s.Occupant.Role, Affiliation: s.Occupant.Affiliation}}
}

func (v reader) sees(a rules.Affiliation) bool {
	return a != rules.AffNone && v.config.MayReadList(v.Rights, a)
}

// change returns what a reader learns about a change: the affiliation that is shown, or false if nothing is.
func (v reader) change(before, now rules.Affiliation) (rules.Affiliation, bool) {
	switch {
	case v.sees(now):
		return now, true
	case v.sees(before):
		return rules.AffNone, true
	}
	return "", false
}

// versionElement says between which versions something has changed (XEP-0463 §5.2); both may be empty.
func versionElement(since, until string) *stanza.Element {
	return stanza.NewElement(muc.NSVersions, "mav").With("since", since).With("until", until)
}

func affiliationItem(who jid.JID, a rules.Affiliation) *stanza.Element {
	return stanza.NewElement(muc.NSUser, "item").With("jid", who.String()).With("affiliation", string(a))
}

// sendAffiliations sends an entering session the affiliations that it asks for: all, or what has changed since the version that it
// knows (XEP-0463 §5.2.1). It returns what its own presence says about the version.
func (r *Room) sendAffiliations(s *occupants.Session, st *stanza.Stanza) *stanza.Element {
	asked := st.Child(muc.NS, "x").Child(muc.NSVersions, "mav")
	s.Versions = false
	if asked == nil || r.saver == nil {
		return nil
	}
	v := r.reader(s)
	items, since, ok := r.affiliationsSince(v, s.JID.Bare(), asked.Attr("since"))
	if !ok {
		refusal := stanza.Forbidden("You may not read the lists of this room.").Element().With("by", r.jid.String())
		e := stanza.NewMessage(s.JID, r.jid, stanza.TypeError, refusal)
		e.ID = st.ID
		r.send(e)
	}
	if s.Versions = ok || v.sees(rules.AffMember); !s.Versions {
		return nil
	}
	until := r.lists.Version()
	if ok && since != until {
		r.sendItems(s.JID, items, since, until)
	}
	return versionElement("", until)
}

// affiliationsSince returns what has changed since a version; since is empty if these are all affiliations. ok is false if the reader may
// not know.
func (r *Room) affiliationsSince(v reader, who jid.JID, version string) (items []*stanza.Element, since string, ok bool) {
	if !v.sees(rules.AffMember) {
		return nil, "", false
	}
	if changed, known := r.lists.Since(version); known {
		if version == r.lists.Version() {
			return nil, version, true
		}
		for _, d := range changed {
			// What was before somebody belonged to the room is not for them (XEP-0463 §6).
			if d.JID == who && !d.Before.AtLeast(rules.AffMember) {
				return nil, "", false
			}
			if a, shown := v.change(d.Before, d.Now); shown {
				items = append(items, affiliationItem(d.JID, a))
			}
		}
		if len(items) > 0 {
			return items, version, true
		}
	}
	for _, a := range listedAffiliations { // there are no empty differences (XEP-0463 §5.2.1)
		if v.sees(a) {
			for _, j := range r.lists.With(a) {
				items = append(items, affiliationItem(j, a))
			}
		}
	}
	return items, "", true
}

// sendItems sends affiliations, in several messages if they are many. The versions between those are known to nobody: who has got only some of
// them gets all the next time.
func (r *Room) sendItems(to jid.JID, items []*stanza.Element, since, until string) {
	for {
		n := min(len(items), itemsAtOnce)
		next := until
		if n < len(items) {
			next = stanza.NewID()
		}
		x := stanza.NewElement(muc.NSUser, "x").Add(versionElement(since, next)).Add(items[:n]...)
		r.send(stanza.NewMessage(to, r.jid, "", x))
		if items, since = items[n:], next; len(items) == 0 {
			return
		}
	}
}

// stepOf returns what presence of an occupant says about a change of its affiliation; nil if presence is not what announces it, or nobody
// in the room knows versions.
func (r *Room) stepOf(step affiliations.Step, o *occupants.Occupant, w Action) *stanza.Element {
	known := func(s *occupants.Session) bool { return s.Versions }
	if step.Until == "" || w.JID != o.BareJID() || !slices.ContainsFunc(r.occupants.Sessions(), known) {
		return nil
	}
	return versionElement(step.Since, step.Until)
}

// sendStep announces a change of affiliation to those who know the version before and have got no presence that says it: of somebody
// who is not in the room (XEP-0463 §5.2.2). Who may not read that list learns only that there is another version.
func (r *Room) sendStep(step affiliations.Step, who jid.JID) {
	if step.Until == "" {
		return
	}
	now := r.lists.Entry(who).Affiliation
	if now == "" {
		now = rules.AffNone
	}
	groups := map[rules.Affiliation][]stanza.Receiver{}
	for _, s := range r.occupants.Sessions() {
		if s.Versions && s.JID.Bare() != who {
			shown, _ := r.reader(s).change(step.Before, now)
			groups[shown] = append(groups[shown], stanza.Receiver{JID: s.JID})
		}
	}
	for shown, to := range groups {
		x := stanza.NewElement(muc.NSUser, "x").Add(versionElement(step.Since, step.Until))
		if shown != "" {
			x.Add(affiliationItem(who, shown).With("role", string(rules.RoleNone)))
		}
		r.occupants.SendMany(stanza.NewMessage(jid.JID{}, r.jid, "", x), to)
	}
}
