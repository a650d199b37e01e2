package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxItems limits the changes of one request.
const maxItems = 200

// adminGet answers a query for a list (XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8).
func (r *Room) adminGet(st *stanza.Stanza, query *stanza.Element) (*stanza.Element, error) {
	item := query.Child(muc.NSAdmin, "item")
	role, aff := rules.Role(item.Attr("role")), rules.Affiliation(item.Attr("affiliation"))
	a := r.actor(st.From)
	x := stanza.NewElement(muc.NSAdmin, "query")
	switch {
	case role.Valid() && role != rules.RoleNone && aff == "":
		if !a.mayReadRoles() {
			return nil, stanza.Forbidden("Only moderators may read this list.")
		}
		for _, o := range r.occupants.All() {
			if o.Role == role {
				x.Add(r.roleItem(o))
			}
		}
	case aff.Valid() && aff != rules.AffNone && role == "":
		if !r.config.MayReadList(a.rights(), aff) {
			return nil, stanza.Forbidden("Only admins may read this list.")
		}
		r.addListed(x, aff)
	default:
		return nil, stanza.BadRequest("Ask for the list of a role or of an affiliation.")
	}
	return x, nil
}

func (r *Room) roleItem(o *occupants.Occupant) *stanza.Element {
	return stanza.NewElement(muc.NSAdmin, "item").With("affiliation", string(o.Affiliation)).
		With("jid", o.RealJID().String()).With("nick", o.Nick).With("role", string(o.Role)) // XEP-0045 §17.4
}

// addListed adds the list entries and the occupants that have the affiliation.
func (r *Room) addListed(x *stanza.Element, aff rules.Affiliation) {
	seen := map[jid.JID]bool{}
	for _, j := range r.lists.With(aff) {
		seen[j] = true
		s := r.lists.Entry(j)
		item := stanza.NewElement(muc.NSAdmin, "item").With("affiliation", string(aff)).With("jid", j.String()).With("nick", s.Nick)
		if s.Reason != "" {
			item.Add(stanza.TextElement(muc.NSAdmin, "reason", s.Reason))
		}
		x.Add(item)
	}
	for _, o := range r.occupants.All() {
		if b := o.BareJID(); o.Affiliation == aff && !b.IsZero() && !seen[b] {
			seen[b] = true
			x.Add(stanza.NewElement(muc.NSAdmin, "item").With("affiliation", string(aff)).
				With("jid", b.String()).With("nick", o.Nick))
		}
	}
}

// adminSet changes roles and affiliations. All changes are checked before the first takes effect.
func (r *Room) adminSet(ctx context.Context, st *stanza.Stanza, query *stanza.Element) error {
	a := r.actor(st.From)
	var wanted []Action
	for item := range query.Named(muc.NSAdmin, "item") {
		if len(wanted) == maxItems {
			return stanza.NotAcceptable("Too many changes at once.")
		}
		w, err := r.readItem(a, item)
		if err != nil {
			return err
		}
		wanted = append(wanted, w)
	}
	if len(wanted) == 0 {
		return stanza.BadRequest("There is nothing to change.")
	}
	if err := r.lists.CheckOwnerLeft(listed(wanted)); err != nil {
		return err
	}
	var todo []Action
	for _, w := range wanted {
		done, err := r.askOwner(ctx, w)
		if err != nil {
			return err
		}
		if done {
			todo = append(todo, w)
		}
	}
	if err := r.saveLists(ctx, todo); err != nil {
		return err
	}
	for _, w := range todo {
		if w.Kind == ActionRole {
			if o := r.occupants.ByID(w.Target.ID); o != nil {
				r.setRole(ctx, o, w.Role, Departure{Kind: Kicked, Actor: a.nick(), Reason: w.Reason})
			}
			continue
		}
		r.affiliate(ctx, w, a.nick())
	}
	return nil
}

// readItem reads one item of a request and checks that the actor may request it.
func (r *Room) readItem(a actor, item *stanza.Element) (Action, error) {
	w := Action{
		By: a.view(), Session: a.jid, Role: rules.Role(item.Attr("role")),
		Affiliation: rules.Affiliation(item.Attr("affiliation")),
		Reason:      rules.Truncate(item.ChildText(muc.NSAdmin, "reason"), r.limits.Subject),
	}
	target := r.occupants.ByNick(item.Attr("nick"))
	switch {
	case (w.Role == "") == (w.Affiliation == ""): // XEP-0045 §17.4
		return w, stanza.BadRequest("A change is of a role or of an affiliation.")
	case w.Role != "":
		w.Kind = ActionRole
		if !w.Role.Valid() {
			return w, stanza.BadRequest("There is no such role.")
		}
		if target == nil {
			return w, stanza.ItemNotFound("Nobody of this name is in the room.")
		}
		v := view(target)
		w.Target, w.JID = &v, target.BareJID()
		return w, mayChangeRole(a, target, w.Role)
	}
	w.Kind = ActionAffiliation
	if !w.Affiliation.Valid() {
		return w, stanza.BadRequest("There is no such affiliation.")
	}
	if text := item.Attr("jid"); text != "" {
		j, err := jid.Parse(text)
		if err != nil {
			return w, stanza.JIDMalformed("The address of this person is malformed.")
		}
		w.JID, w.Value = j.Bare(), item.Attr("nick")
		if nick, given := item.LookupAttr("", "nick"); given && nick == "" {
			w.NoNick = true // XEP-0045 §9.5
		}
		target = r.occupants.ByBare(w.JID)
	} else if target != nil {
		w.JID = target.BareJID()
	}
	from := r.lists.Of(w.JID)
	if target != nil {
		v := view(target)
		w.Target, from = &v, target.Affiliation
	} else if w.JID.IsZero() {
		return w, stanza.BadRequest("An affiliation belongs to an address.")
	}
	if w.Value != "" {
		nick, err := r.occupants.CheckNick(w.Value)
		if err != nil {
			return w, err
		}
		if w.Value = nick; r.lists.ReservedFor(nick, w.JID) {
			return w, stanza.Conflict("This nickname is reserved for somebody else.")
		}
	}
	return w, mayChangeAffiliation(a, w.JID, from, w.Affiliation)
}
