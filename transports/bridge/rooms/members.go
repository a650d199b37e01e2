package rooms

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// memberPage is how many members of a room are asked for at once.
const memberPage = 200

// listing is a list of members that the network is asked for. done is closed when people is set.
type listing struct {
	done   chan struct{}
	people []transports.UserInfo
	ranks  map[transports.UserID]rank
	ok     bool
}

// rank is what somebody is in a room.
type rank struct {
	role   transports.Role
	badges []transports.Badge
}

// list asks the network for the members of the room, once for all who enter meanwhile.
func (r *Room) list(l *logins.Login) *listing {
	lister, ok := l.Client().(transports.MemberLister)
	if !ok || !r.rooms.env.Info.Caps.Members || r.Engine() != nil {
		return nil
	}
	if r.listing != nil {
		return r.listing
	}
	n := &listing{done: make(chan struct{})}
	id := r.conv.Row.Net
	started := r.rooms.env.Group.Go(func(ctx context.Context) {
		defer close(n.done)
		ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
		defer cancel()
		members, err := listMembers(ctx, lister, id, r.rooms.env.Settings.Members)
		if err != nil {
			r.rooms.env.Log.Warn("listing a room's members", "room", id, "error", err)
			return
		}
		n.ok, n.ranks = true, map[transports.UserID]rank{}
		for _, m := range members {
			n.people = append(n.people, m.User)
			n.ranks[m.User.ID] = rank{m.Role, m.Badges}
		}
	})
	if !started {
		return nil
	}
	r.listing = n
	return n
}

// listMembers reads at most limit members of a room, page by page.
func listMembers(ctx context.Context, lister transports.MemberLister, id transports.RoomID, limit int) ([]transports.MemberInfo, error) {
	var members []transports.MemberInfo
	request := transports.MemberRequest{Room: id}
	for len(members) < limit {
		request.Limit = min(memberPage, limit-len(members))
		page, err := lister.Members(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Members {
			if m.Membership != transports.Joined && m.Membership != "" || m.User.ID == "" || len(m.User.ID) > convert.MaxID || len(members) == limit {
				continue
			}
			if m.Nick != "" {
				m.User.Name = m.Nick
			}
			m.User = convert.ClipUser(m.User)
			members = append(members, m)
		}
		if page.Next == "" || page.Next == request.After {
			break
		}
		request.After = page.Next
	}
	return members, nil
}

// keepListed keeps the members that the network has listed.
func (r *Room) keepListed(ctx context.Context, n *listing) {
	if n == nil || r.listing != n {
		return
	}
	r.listing = nil
	if !n.ok {
		return
	}
	r.ranks, r.looks = n.ranks, looks{}
	b := &tables.Batch{}
	for _, u := range n.people {
		b.Rooms.Members = append(b.Rooms.Members, tables.Member{Room: r.conv.ID, User: u.ID})
	}
	b.Rooms.Puppets = n.people
	r.rooms.people.Put(n.people...)
	if err := r.conv.Commit(ctx, b); err != nil && ctx.Err() == nil {
		r.rooms.env.Log.Error("keeping a room's members", "room", r.conv.Row.Net, "error", err)
	}
}

// member is somebody of the network as a member of the room.
func (r *Room) member(u transports.UserInfo, persona string) occupants.Puppet {
	m := r.rooms.address.Member(u, persona)
	if persona == "" {
		if _, known := r.occupants[m.ID]; !known {
			r.NoteName(u)
		}
		convert.SetRole(&m, r.ranks[u.ID].role)
		m.Hats = append(m.Hats, convert.Hats(r.ranks[u.ID].badges)...)
		if r.readers[u.ID] && m.Role == "" {
			m.Role = rules.RoleVisitor
		}
		r.occupants[m.ID] = u.ID
		if p, ok := r.rooms.presence.Of(u.ID); ok {
			m.Show, m.Status = convert.Show(p.Show), convert.CutBytes(p.Status, convert.MaxName)
		}
		hash, known := r.rooms.people.Photos.Hash(r.anyLogin(), u, func() {
			r.conv.Enqueue(func(ctx context.Context) { r.showPhoto(ctx, u) })
		})
		if known {
			m.Extra = append(m.Extra, convert.PhotoUpdate(hash))
		}
	}
	return m
}

// showPhoto shows the picture of a member that has been read.
func (r *Room) showPhoto(ctx context.Context, u transports.UserInfo) {
	e := r.Engine()
	if e == nil {
		return
	}
	id := r.rooms.address.Occupant(u.ID, "")
	if slices.ContainsFunc(e.Occupants(), func(o room.Occupant) bool { return o.ID == id }) {
		r.SetMember(ctx, u, "")
		r.Flush()
	}
}

// anyLogin is a login that sees the room and can be asked for pictures, or nil.
func (r *Room) anyLogin() *logins.Login {
	for id := range r.viewers {
		if l := r.rooms.logins.ByID(id); l != nil && l.Online() {
			return l
		}
	}
	return nil
}

// SetMember shows somebody of the network in the room. persona is as convert.Addresses.Occupant wants it.
func (r *Room) SetMember(ctx context.Context, u transports.UserInfo, persona string) {
	e := r.Engine()
	if e == nil {
		return
	}
	m := r.member(u, persona)
	if persona != "" {
		m.Nick = r.PersonaNick(ctx, persona, m.ID)
	}
	if _, err := e.SetPuppet(ctx, m); err != nil {
		r.rooms.env.Log.Warn("showing a member", "room", r.conv.Row.Net, "error", err)
	}
}

// SetRole notes what somebody may do in the room; it is shown with the next SetMember.
func (r *Room) SetRole(user transports.UserID, role transports.Role) {
	if r.ranks == nil {
		r.ranks = map[transports.UserID]rank{}
	}
	r.ranks[user] = rank{role, r.ranks[user].badges}
}

// RemoveMember shows that somebody has left the room, or was removed by somebody else.
func (r *Room) RemoveMember(ctx context.Context, m transports.Member) {
	r.looks = looks{} // they are read again
	e := r.Engine()
	if e == nil {
		return
	}
	d := room.Departure{Kind: room.Left, Reason: convert.CutBytes(m.Reason, convert.MaxName)}
	if m.By != "" && m.By != m.User.ID {
		d.Kind, d.Actor = room.Kicked, convert.DisplayName(r.rooms.people.Find(ctx, m.By, ""))
	}
	e.RemoveOccupant(ctx, r.rooms.address.Occupant(m.User.ID, ""), d)
}

// KnowsViewer reports whether a login is known to see the room.
func (r *Room) KnowsViewer(login transports.LoginID) bool { return r.viewers[login] }

// SeenBy reports whether a login is stored as one that sees the room.
func (r *Room) SeenBy(ctx context.Context, login transports.LoginID) (bool, error) {
	rows, err := r.rooms.store.RoomLogins(ctx, r.conv.ID)
	return slices.ContainsFunc(rows, func(v tables.Visibility) bool { return v.Login == login }), err
}

// AddViewer notes that a login sees the room.
func (r *Room) AddViewer(login transports.LoginID) {
	if r.viewers == nil {
		r.viewers = map[transports.LoginID]bool{}
	}
	r.viewers[login] = true
}

// ForgetViewers makes the room look again which logins see it.
func (r *Room) ForgetViewers() {
	r.viewers = nil
	r.rooms.Index.HideAll(r.conv.ID)
}

// RemoveViewer notes that a login does not see the room any longer.
func (r *Room) RemoveViewer(login transports.LoginID) {
	delete(r.viewers, login)
	r.rooms.Index.Hide(login, r.conv.Row.Key)
}
