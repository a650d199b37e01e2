package puppets

import (
	"context"
	"log/slog"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Contacts keeps the contact lists of logins.
type Contacts interface {
	Contacts(ctx context.Context, login transports.LoginID) ([]tables.Contact, error)
	PutContacts(ctx context.Context, put, remove []tables.Contact) error
	HasContact(ctx context.Context, login transports.LoginID, user transports.UserID) (bool, error)
}

const maxSuggested = 50 // items in one message

// Roster brings the contacts of logins into the rosters of their owners.
type Roster struct {
	Privileges Privileges
	Requests   *Requests
	OnNodes    func(*logins.Login) // called where the server of a login's owner has granted Privilege.Nodes; set before the gateway runs

	env      *gateway.Env
	address  convert.Addresses
	store    Contacts
	people   *Directory
	presence *Presence
	logins   *logins.Registry
}

// NewRoster makes the Roster of a gateway.
func NewRoster(env *gateway.Env, store Contacts, presence *Presence) *Roster {
	r := &Roster{
		Requests: NewRequests(env.Send), OnNodes: func(*logins.Login) {}, env: env, address: convert.Addresses{Domain: env.Domain},
		store: store, people: presence.people, presence: presence, logins: presence.logins,
	}
	presence.refuse = r.Refuse
	presence.granted = func(user jid.JID) bool { return r.Privileges.Of(user.Domain()).Presence }
	return r
}

// Granted takes a message of a server about privileges; false where it is none.
func (r *Roster) Granted(st *stanza.Stanza) bool {
	p, ok := parsePrivilege(st)
	if !ok {
		return false
	}
	server := st.From.Domain()
	if !r.serves(server) {
		return true // only servers whose users may have logins are remembered
	}
	before, kept := r.Privileges.set(server, p)
	if !kept {
		return true
	}
	r.env.Log.Info("privileges granted", "server", server, "roster", p.Roster, "messages", p.Messages, "presence", p.Presence, "nodes", p.Nodes)
	for _, l := range r.logins.All() {
		if l.Owner.Domain() != server {
			continue
		}
		if p.Roster && !before.Roster {
			r.env.Group.Go(func(ctx context.Context) { r.pushAll(ctx, l) })
		}
		if p.Nodes && !before.Nodes {
			r.OnNodes(l)
		}
	}
	return true
}

// serves reports whether users of a domain have logins, or may.
func (r *Roster) serves(domain string) bool {
	if r.env.Settings.MayUseSome(domain) {
		return true
	}
	for _, l := range r.logins.All() {
		if l.Owner.Domain() == domain {
			return true
		}
	}
	return false
}

// pushed is a contact's name and group in a roster, in the form that the store keeps.
func pushed(u transports.UserInfo) string { return convert.DisplayName(u) + "\x00" + u.Group }

// pushAll brings all contacts of a login into the owner's roster.
func (r *Roster) pushAll(ctx context.Context, l *logins.Login) {
	rows, err := r.store.Contacts(ctx, l.ID)
	if err != nil {
		r.env.Log.Error("reading contacts", "login", l.ID, "error", err)
		return
	}
	list := make([]transports.UserInfo, 0, len(rows))
	for _, row := range rows {
		if u := r.people.Find(ctx, row.User, ""); !u.Gone {
			list = append(list, u)
		}
	}
	r.push(ctx, l, list, rows)
}

// Push makes people contacts of a login and shows them in the owner's roster.
func (r *Roster) Push(ctx context.Context, l *logins.Login, people []transports.UserInfo) {
	rows, err := r.store.Contacts(ctx, l.ID)
	if err != nil {
		r.env.Log.Error("reading contacts", "login", l.ID, "error", err)
		return
	}
	r.push(ctx, l, people, rows)
}

// changes are what a push has to write down and to suggest.
type changes struct {
	put, remove []tables.Contact
	suggested   []*stanza.Element
	shown       map[transports.UserID]transports.PresenceInfo // of those who are no contacts yet for Presence.Changed
}

func (r *Roster) push(ctx context.Context, l *logins.Login, people []transports.UserInfo, have []tables.Contact) {
	before := map[transports.UserID]string{}
	for _, row := range have {
		before[row.User] = row.Pushed
	}
	var c changes
	for _, u := range people {
		old, known := before[u.ID]
		contact, err := r.address.Contact(u.ID)
		switch {
		case u.ID == l.User || u.ID == "":
		case err != nil:
			r.env.Log.Warn("a person has no address", "user", u.ID, "error", err)
		case u.Gone && known:
			r.removeContact(ctx, l, u.ID)
			c.remove = append(c.remove, tables.Contact{Login: l.ID, User: u.ID})
		case !u.Gone:
			r.pushOne(ctx, l, item{u, contact, old, known}, &c)
		}
	}
	r.suggest(l, c.suggested)
	if len(c.put)+len(c.remove) == 0 {
		return
	}
	if err := r.store.PutContacts(ctx, c.put, c.remove); tables.Gone(err) {
		return // the login has been deleted meanwhile
	} else if err != nil {
		r.env.Log.Error("keeping contacts", "login", l.ID, "error", err)
	}
	for id, before := range c.shown { // what changed before they were stored as contacts was not shown
		if now, _ := r.presence.Of(id); now != before {
			r.presence.Show(l, id, l.Owner)
		}
	}
	r.env.Log.Debug("contacts pushed", slog.String("login", string(l.ID)), slog.Int("new", len(c.put)), slog.Int("removed", len(c.remove)))
}

// item is a contact to be pushed, with what the roster has of it.
type item struct {
	user    transports.UserInfo
	contact jid.JID
	before  string
	known   bool
}

func (r *Roster) pushOne(ctx context.Context, l *logins.Login, i item, c *changes) {
	privileged := r.Privileges.Of(l.Owner.Domain()).Roster
	plain := pushed(i.user)
	set := plain + "\x00set" // by privilege: a server that grants it later has its rosters set again
	switch {
	case i.known && (i.before == set || !privileged && i.before == plain):
	case privileged && r.setContact(ctx, l, i.contact, i.user):
		c.put = append(c.put, tables.Contact{Login: l.ID, User: i.user.ID, Pushed: set})
		if c.shown == nil {
			c.shown = map[transports.UserID]transports.PresenceInfo{}
		}
		c.shown[i.user.ID], _ = r.presence.Of(i.user.ID)
		r.presence.Show(l, i.user.ID, l.Owner)
	case i.known && i.before == plain: // suggested already
	default:
		action := "modify"
		if i.before == "" {
			action = "add"
			r.env.Send(stanza.NewPresence(l.Owner, i.contact, stanza.TypeSubscribe, stanza.TextElement(convert.NSNick, "nick", convert.DisplayName(i.user))))
		}
		c.suggested = append(c.suggested, r.suggestion(action, i.contact, i.user))
		c.put = append(c.put, tables.Contact{Login: l.ID, User: i.user.ID, Pushed: plain})
	}
}

// setContact puts a contact into the owner's roster by privilege. Where the server grants that and does
// not do it, as ejabberd 23.01, the contact asks to be added as without the privilege.
func (r *Roster) setContact(ctx context.Context, l *logins.Login, contact jid.JID, u transports.UserInfo) bool {
	err := r.setRoster(ctx, l.Owner, rosterItem{contact, convert.DisplayName(u), r.groupOf(u), "to"})
	if err != nil {
		r.env.Log.Warn("the server did not set a roster item", "login", l.ID, "contact", contact.String(), "err", err)
	}
	return err == nil
}

// suggestion is an item of a roster item exchange (XEP-0144).
func (r *Roster) suggestion(action string, contact jid.JID, u transports.UserInfo) *stanza.Element {
	x := stanza.NewElement(convert.NSRosterX, "item").With("action", action).With("jid", contact.String())
	if action == "delete" {
		return x
	}
	return x.With("name", convert.DisplayName(u)).Add(stanza.TextElement(convert.NSRosterX, "group", r.groupOf(u)))
}

func (r *Roster) suggest(l *logins.Login, items []*stanza.Element) {
	for len(items) > 0 {
		n := min(len(items), maxSuggested)
		r.env.Send(stanza.NewMessage(l.Owner, r.env.Domain, stanza.TypeNormal,
			stanza.NewElement(convert.NSRosterX, "x").Add(items[:n]...), message.NoStore.Element()))
		items = items[n:]
	}
}

func (r *Roster) groupOf(u transports.UserInfo) string {
	if u.Group != "" {
		return u.Group
	}
	return r.env.Info.Name
}

// RemoveContacts takes all contacts of a login out of the owner's roster.
func (r *Roster) RemoveContacts(ctx context.Context, l *logins.Login) error {
	contacts, err := r.store.Contacts(ctx, l.ID)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		r.removeContact(ctx, l, c.User)
	}
	return nil
}

func (r *Roster) removeContact(ctx context.Context, l *logins.Login, user transports.UserID) {
	contact, err := r.address.Contact(user)
	if err != nil {
		return
	}
	r.presence.Hide(contact, l.Owner)
	if r.Privileges.Of(l.Owner.Domain()).Roster {
		if err := r.setRoster(ctx, l.Owner, rosterItem{contact: contact, subscription: "remove"}); err == nil {
			return
		}
	}
	r.suggest(l, []*stanza.Element{r.suggestion("delete", contact, transports.UserInfo{})})
	r.env.Send(stanza.NewPresence(l.Owner, contact, stanza.TypeUnsubscribe)) // XEP-0100 §4.3
	r.env.Send(stanza.NewPresence(l.Owner, contact, stanza.TypeUnsubscribed))
}

// AddGateway puts the gateway into the roster of somebody who has linked an account (XEP-0100 §4.1).
func (r *Roster) AddGateway(ctx context.Context, owner jid.JID) {
	domain := r.env.Domain
	if r.Privileges.Of(owner.Domain()).Roster {
		if err := r.setRoster(ctx, owner, rosterItem{contact: domain, name: r.env.Info.Name, subscription: "both"}); err == nil {
			if r.presence.Available(owner) {
				r.presence.showGateway(owner)
			}
			r.env.Send(stanza.NewPresence(owner, domain, stanza.TypeProbe)) // each resource that is not known yet has its answer then
			return
		}
	}
	r.env.Send(stanza.NewPresence(owner, domain, stanza.TypeSubscribe, stanza.TextElement(convert.NSNick, "nick", r.env.Info.Name)))
}

// RemoveGateway takes the gateway out of the roster of somebody who has no login any more.
func (r *Roster) RemoveGateway(ctx context.Context, owner jid.JID) {
	domain := r.env.Domain
	r.presence.Hide(domain, owner)
	if r.Privileges.Of(owner.Domain()).Roster {
		if err := r.setRoster(ctx, owner, rosterItem{contact: domain, subscription: "remove"}); err == nil {
			return
		}
	}
	r.env.Send(stanza.NewPresence(owner, domain, stanza.TypeUnsubscribe))
	r.env.Send(stanza.NewPresence(owner, domain, stanza.TypeUnsubscribed))
}
