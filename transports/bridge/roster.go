package bridge

import (
	"context"
	"log/slog"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// grants are the rights that servers have given us (XEP-0356).
type grants struct {
	mu sync.Mutex
	by map[string]grant // by the server's domain
}

type grant struct {
	roster, messages bool
	space            string // the namespace that the server speaks of it in
}

func (g *grants) get(domain string) grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.by[domain]
}

// servesServer tells whether users of a domain have accounts here, or may.
func (g *Gateway) servesServer(domain string) bool {
	if g.set.mayUseSome(domain) {
		return true
	}
	for _, a := range g.allAccounts() {
		if a.owner.Domain() == domain {
			return true
		}
	}
	return false
}

// privilegeGranted notes what a server lets us do (XEP-0356 §4). Only a server itself can say so.
func (g *Gateway) privilegeGranted(st *stanza.Stanza) bool {
	space := nsPrivilege
	x := st.Child(space, "privilege")
	if x == nil {
		space = nsPrivilege1
		x = st.Child(space, "privilege")
	}
	if x == nil || !st.From.IsHost() || st.Type == stanza.TypeError {
		return false
	}
	p := grant{space: space}
	for perm := range x.Named(space, "perm") {
		typ := perm.Attr("type")
		switch perm.Attr("access") {
		case "roster":
			p.roster = typ == "set" || typ == "both"
		case "message":
			p.messages = typ == "outgoing"
		}
	}
	if !g.servesServer(st.From.Domain()) {
		return true // of others there are any number
	}
	g.granted.mu.Lock()
	before := g.granted.by[st.From.Domain()]
	if g.granted.by == nil {
		g.granted.by = map[string]grant{}
	}
	if before.space == nsPrivilege && space == nsPrivilege1 {
		g.granted.mu.Unlock()
		return true // said once more for those who know the old way alone
	}
	if len(g.granted.by) < 1000 {
		g.granted.by[st.From.Domain()] = p
	}
	g.granted.mu.Unlock()
	g.log.Info("privileges granted", "server", st.From.String(), "roster", p.roster, "messages", p.messages)
	if p.roster && !before.roster {
		for _, a := range g.allAccounts() {
			if a.owner.Domain() == st.From.Domain() {
				g.spawn(func(ctx context.Context) { g.pushAll(ctx, a) })
			}
		}
	}
	return true
}

// ownCopy shows the owner what they wrote in the network's own client: as a carbon that
// their server sends (XEP-0280 §6 by XEP-0356 §4.3) or, where it does not, as a message from
// the contact that is marked.
func (g *Gateway) ownCopy(a *account, contact jid.JID, id string, content []*stanza.Element) delivery {
	may := g.granted.get(a.owner.Domain())
	if !may.messages {
		for _, e := range content {
			if e != nil && e.Is("", "body") {
				e.Nodes = []stanza.Node{{Text: "[you] " + e.Text()}}
			}
		}
		return delivery{To: a.owner, From: contact, ID: id, Type: stanza.TypeChat, Payload: stanza.Encode(content...)}
	}
	inner := stanza.NewElement(stanza.NSClient, "message").With("from", a.owner.String()).With("to", contact.String()).
		With("id", id).With("type", stanza.TypeChat).Add(content...)
	sent := stanza.NewElement(nsCarbons, "sent").Add(stanza.NewElement(nsForward, "forwarded").Add(inner))
	outer := stanza.NewElement(stanza.NSClient, "message").With("from", a.owner.String()).With("to", a.owner.String()).
		With("id", hash(id, "carbon")).With("type", stanza.TypeChat).Add(sent)
	wrapped := stanza.NewElement(may.space, "privilege").Add(stanza.NewElement(nsForward, "forwarded").Add(outer))
	return delivery{To: a.owner.Host(), From: g.domain, ID: id, Payload: stanza.Encode(wrapped)}
}

// pushed is what the owner's roster was told of a contact.
func pushed(u transports.UserInfo) string { return displayName(u) + "\x00" + u.Group }

// pushAll brings all contacts of an account into the owner's roster.
func (g *Gateway) pushAll(ctx context.Context, a *account) {
	rows, err := g.store.Contacts(ctx, a.id)
	if err != nil {
		g.log.Error("reading contacts", "account", a.id, "error", err)
		return
	}
	list := make([]transports.UserInfo, 0, len(rows))
	for _, r := range rows {
		if u := g.person(ctx, nil, r.User, ""); !u.Gone {
			list = append(list, u)
		}
	}
	g.push(ctx, a, list, rows)
}

// pushContacts makes people contacts of an account and shows them in the owner's roster.
func (g *Gateway) pushContacts(ctx context.Context, a *account, people []transports.UserInfo) {
	rows, err := g.store.Contacts(ctx, a.id)
	if err != nil {
		g.log.Error("reading contacts", "account", a.id, "error", err)
		return
	}
	g.push(ctx, a, people, rows)
}

func (g *Gateway) push(ctx context.Context, a *account, people []transports.UserInfo, have []tables.Contact) {
	before := map[transports.UserID]string{}
	for _, r := range have {
		before[r.User] = r.Pushed
	}
	privileged := g.granted.get(a.owner.Domain()).roster
	var put, remove []tables.Contact
	var suggested []*stanza.Element
	for _, u := range people {
		old, known := before[u.ID]
		row := tables.Contact{Login: a.id, User: u.ID, Pushed: pushed(u)}
		set := row.Pushed + "\x00set" // by privilege: a server that grants it later is told again
		if privileged {
			row.Pushed = set
		}
		contact, err := g.contactJID(u.ID)
		switch {
		case u.ID == a.user || u.ID == "":
		case err != nil:
			g.log.Warn("a person has no address", "user", u.ID, "error", err)
		case u.Gone && known:
			g.removeContact(ctx, a, u.ID)
			remove = append(remove, row)
		case u.Gone || known && (old == row.Pushed || old == set):
		case privileged && g.setContact(ctx, a, contact, u):
			put = append(put, row)
			g.showContact(a, u.ID, a.owner)
		case known && old == pushed(u): // suggested already
		default:
			row.Pushed = pushed(u)
			action := "modify"
			if old == "" {
				action = "add"
				g.send(stanza.NewPresence(a.owner, contact, stanza.TypeSubscribe, stanza.TextElement(nsNick, "nick", displayName(u))))
			}
			suggested = append(suggested, g.suggestion(action, contact, u))
			put = append(put, row)
		}
	}
	g.suggest(a, suggested)
	if len(put)+len(remove) == 0 {
		return
	}
	if err := g.store.PutContacts(ctx, put, remove); err != nil {
		g.log.Error("keeping contacts", "account", a.id, "error", err)
	}
	g.log.Debug("contacts pushed", slog.String("account", string(a.id)), slog.Int("new", len(put)), slog.Int("removed", len(remove)))
}

// setContact puts a contact into the owner's roster by privilege. Where the server grants that and does
// not do it, as ejabberd 23.01, the contact asks to be added as without the privilege.
func (g *Gateway) setContact(ctx context.Context, a *account, contact jid.JID, u transports.UserInfo) bool {
	err := g.setRoster(ctx, a.owner, rosterItem{contact, displayName(u), g.groupOf(u), "to"})
	if err != nil {
		g.log.Warn("the server did not set a roster item", "account", a.id, "contact", contact.String(), "err", err)
	}
	return err == nil
}

// suggestion is an item of a roster item exchange (XEP-0144).
func (g *Gateway) suggestion(action string, contact jid.JID, u transports.UserInfo) *stanza.Element {
	item := stanza.NewElement(nsRosterX, "item").With("action", action).With("jid", contact.String())
	if action == "delete" {
		return item
	}
	return item.With("name", displayName(u)).Add(stanza.TextElement(nsRosterX, "group", g.groupOf(u)))
}

const maxSuggested = 50 // items in one message

func (g *Gateway) suggest(a *account, items []*stanza.Element) {
	for len(items) > 0 {
		n := min(len(items), maxSuggested)
		g.send(stanza.NewMessage(a.owner, g.domain, stanza.TypeNormal, stanza.NewElement(nsRosterX, "x").Add(items[:n]...), hint("no-store")))
		items = items[n:]
	}
}

func (g *Gateway) groupOf(u transports.UserInfo) string {
	if u.Group != "" {
		return u.Group
	}
	return g.info.Name
}

// rosterItem is one item of a roster; its subscription may be "remove".
type rosterItem struct {
	contact                   jid.JID
	name, group, subscription string
}

// setRoster changes an item of a user's roster by XEP-0356 §4.2.
func (g *Gateway) setRoster(ctx context.Context, owner jid.JID, i rosterItem) error {
	item := stanza.NewElement(nsRoster, "item").With("jid", i.contact.String()).With("name", i.name).With("subscription", i.subscription)
	if i.group != "" {
		item.Add(stanza.TextElement(nsRoster, "group", i.group))
	}
	_, err := g.ask(ctx, stanza.NewIQ(owner, g.domain, stanza.TypeSet, stanza.NewElement(nsRoster, "query").Add(item)))
	return err
}

// removeContact takes a contact out of the owner's roster.
func (g *Gateway) removeContact(ctx context.Context, a *account, user transports.UserID) {
	contact, err := g.contactJID(user)
	if err != nil {
		return
	}
	if g.granted.get(a.owner.Domain()).roster {
		if err := g.setRoster(ctx, a.owner, rosterItem{contact: contact, subscription: "remove"}); err == nil {
			return
		}
	}
	g.suggest(a, []*stanza.Element{g.suggestion("delete", contact, transports.UserInfo{})})
	g.send(stanza.NewPresence(a.owner, contact, stanza.TypeUnsubscribe)) // XEP-0100 §4.3
	g.send(stanza.NewPresence(a.owner, contact, stanza.TypeUnsubscribed))
}

// addSelf puts the gateway into the roster of somebody who has linked an account (XEP-0100 §4.1).
func (g *Gateway) addSelf(ctx context.Context, who jid.JID) {
	if g.granted.get(who.Domain()).roster {
		if err := g.setRoster(ctx, who, rosterItem{contact: g.domain, name: g.info.Name, subscription: "both"}); err == nil {
			g.send(stanza.NewPresence(who, g.domain, stanza.TypeProbe))
			g.send(g.ownPresence(who, who))
			return
		}
	}
	g.send(stanza.NewPresence(who, g.domain, stanza.TypeSubscribe, stanza.TextElement(nsNick, "nick", g.info.Name)))
}

// removeSelf takes the gateway out of the roster of somebody who has no account any longer.
func (g *Gateway) removeSelf(ctx context.Context, who jid.JID) {
	if g.granted.get(who.Domain()).roster {
		if err := g.setRoster(ctx, who, rosterItem{contact: g.domain, subscription: "remove"}); err == nil {
			return
		}
	}
	g.send(stanza.NewPresence(who, g.domain, stanza.TypeUnsubscribe))
	g.send(stanza.NewPresence(who, g.domain, stanza.TypeUnsubscribed))
	g.send(stanza.NewPresence(who, g.domain, stanza.TypeUnavailable))
}
