package puppets

import (
	"context"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// Limits of searches for people.
const (
	maxFound    = 100 // people in one answer
	maxTerm     = 255 // bytes of a field
	minLetters  = 2   // of a field
	searchHelp  = "Enter a name, or the beginning of one. You find the people whom your account sees."
	nameField   = "nick"
	emailField  = "email"
	searchTitle = "Search for people"
)

// Search finds people of the network for those who have a login (XEP-0055): the contacts of their logins, whom they see anyway.
type Search struct {
	env      *gateway.Env
	address  convert.Addresses
	contacts Contacts
	people   *Directory
	logins   *logins.Registry

	mu      sync.Mutex
	running map[jid.JID]bool // accounts that search at the moment: each does one search at a time
}

// NewSearch makes the searches of a gateway.
func NewSearch(env *gateway.Env, contacts Contacts, people *Directory, registry *logins.Registry) *Search {
	return &Search{
		env: env, address: convert.Addresses{Domain: env.Domain}, contacts: contacts, people: people, logins: registry, running: map[jid.JID]bool{},
	}
}

// Handle answers a request.
func (s *Search) Handle(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	who := st.From.Bare()
	list := s.logins.Of(who)
	if len(list) == 0 {
		return nil, stanza.RegistrationRequired("Please link your " + s.env.Info.Name + " account first.")
	}
	if st.Type == stanza.TypeGet {
		return searchForm(), nil
	}
	query, byForm, err := parseSearch(st.FirstChild())
	if err != nil {
		return nil, err
	}
	page, paged, err := paging.Parse(st.FirstChild())
	if err != nil {
		return nil, err
	}
	if !s.begin(who) {
		return nil, stanza.ResourceConstraint("You search already.")
	}
	defer s.end(who)
	found, err := s.find(ctx, list, query)
	if err != nil {
		return nil, err
	}
	shown, at, err := paging.List(found, func(m match) string { return m.address.String() }, page.Limit(maxFound, maxFound))
	if err != nil {
		return nil, err
	}
	answer := answerSearch(shown, byForm)
	if paged && len(found) > 0 || len(shown) < len(found) { // XEP-0059 §2.1, §2.2
		answer.Add(at.Element())
	}
	return answer, nil
}

func (s *Search) begin(who jid.JID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[who] {
		return false
	}
	s.running[who] = true
	return true
}

func (s *Search) end(who jid.JID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, who)
}

// match is somebody who was found.
type match struct {
	address jid.JID
	user    transports.UserInfo
}

// find returns the contacts of some logins that a search names.
func (s *Search) find(ctx context.Context, list []*logins.Login, query map[string]string) (found []match, err error) {
	seen := map[transports.UserID]bool{}
	for _, l := range list {
		rows, err := s.contacts.Contacts(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			u := s.people.Find(ctx, row.User, "")
			u.Email = row.Email // other logins may be shown one that this one is not
			address, err := s.address.Contact(row.User)
			if seen[row.User] || u.Gone || err != nil || ctx.Err() != nil {
				continue
			}
			if begins(query[nameField], u.Name, u.Handle) && begins(query[emailField], u.Email) {
				seen[row.User] = true
				found = append(found, match{address, u})
			}
		}
	}
	return found, ctx.Err()
}

// begins reports whether each word that is asked for begins a word of some texts, without regard to case.
func begins(asked string, texts ...string) bool {
	words := strings.Fields(strings.ToLower(strings.Join(texts, " ")))
next:
	for _, want := range strings.Fields(strings.ToLower(asked)) {
		want = strings.TrimSuffix(want, "*")
		for _, w := range words {
			if strings.HasPrefix(w, want) {
				continue next
			}
		}
		return false
	}
	return true
}

// searchForm returns the fields of a search, as elements and as a form (XEP-0055 §2.1, §3).
func searchForm() *stanza.Element {
	f := form.New(form.Ask, convert.NSSearch, searchTitle)
	f.Instructions = []string{searchHelp}
	f.Text(nameField, "Name", "").Text(emailField, "Email Address", "")
	return stanza.NewElement(convert.NSSearch, "query").Add(stanza.TextElement(convert.NSSearch, "instructions", searchHelp),
		stanza.NewElement(convert.NSSearch, nameField), stanza.NewElement(convert.NSSearch, emailField), f.Element())
}

// parseSearch reads a search, from its form or from its elements.
func parseSearch(x *stanza.Element) (query map[string]string, byForm bool, err error) {
	value := func(name string) string { return x.ChildText(convert.NSSearch, name) }
	if fx := x.Child(form.NS, "x"); fx != nil {
		f, err := form.Parse(fx)
		if err != nil || f.Kind != form.Submit || f.FormType() != convert.NSSearch {
			return nil, true, stanza.BadRequest("This is another form.")
		}
		byForm, value = true, f.Get
	}
	query = map[string]string{}
	for _, name := range []string{nameField, emailField} {
		v := strings.TrimSpace(value(name))
		switch n := utf8.RuneCountInString(strings.TrimSuffix(v, "*")); {
		case len(v) > maxTerm || !utf8.ValidString(v):
			return nil, byForm, stanza.NotAcceptable("A field is too long.")
		case v != "" && n < minLetters:
			return nil, byForm, stanza.NotAcceptable("Enter at least two letters.")
		case v != "":
			query[name] = v
		}
	}
	if len(query) == 0 {
		return nil, byForm, stanza.NotAcceptable("Fill in at least one field.")
	}
	return query, byForm, nil
}

func answerSearch(found []match, byForm bool) *stanza.Element {
	query := stanza.NewElement(convert.NSSearch, "query")
	f := form.New(form.Result, convert.NSSearch, "")
	f.Reported = []form.Field{
		{Var: "jid", Type: form.JIDSingle, Label: "Address"}, {Var: nameField, Type: form.TextSingle, Label: "Name"},
		{Var: emailField, Type: form.TextSingle, Label: "Email Address"},
	}
	for _, m := range found {
		name := convert.DisplayName(m.user)
		f.Items = append(f.Items, []form.Field{
			{Var: "jid", Values: []string{m.address.String()}}, {Var: nameField, Values: []string{name}}, {Var: emailField, Values: []string{m.user.Email}},
		})
		if !byForm {
			query.Add(stanza.NewElement(convert.NSSearch, "item").With("jid", m.address.String()).Add(
				stanza.TextElement(convert.NSSearch, nameField, name), stanza.TextElement(convert.NSSearch, emailField, m.user.Email)))
		}
	}
	if byForm {
		query.Add(f.Element())
	}
	return query
}
