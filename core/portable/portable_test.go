package portable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	messages "github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/moderation"
	"github.com/dragoman-im/dragoman/core/store/nodes"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

var (
	ann   = jid.MustParse("ann@example.org")
	bob   = jid.MustParse("bob@example.org")
	romeo = jid.MustParse("romeo@elsewhere.example")
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler), Limits: store.Limits{
		RosterItems: 100, RosterBytes: 1 << 20, Blocked: 100, PrivateItems: 100, PrivateBytes: 1 << 20,
		OfflineMessages: 1000, OfflineBytes: 1 << 20,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func importer(s *store.Store) *Importer {
	return NewImporter(s, ImportOptions{Hosts: []string{"example.org"}, Iterations: 1, Message: 4096, VCard: 1024, Nodes: pubsub.Limits{Nodes: 10, Items: 10, Bytes: 4096, Payload: 1024, Subscriptions: 2}})
}

// records collects the records of a source.
func records(t *testing.T, source func(func(Record, error) bool)) (list []Record) {
	t.Helper()
	for r, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// fill makes an account with something of each kind.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	c, err := sasl.NewCredentials("pencil", 1)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 10)
	done := func(err error) { written <- err }
	message := func(text string) *stanza.Stanza {
		return stanza.NewMessage(ann, romeo, stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text), stanza.NewElement("urn:x", "extra"))
	}
	at := time.Date(2020, 2, 3, 4, 5, 6, 789000, time.UTC)
	for _, err := range []error{
		s.CreateAccount(ctx, ann, c),
		s.CreateAccount(ctx, bob, sasl.Credentials{}),
		s.ChangeRoster(ctx, ann, romeo, func(e *roster.Entry) error {
			e.Listed, e.Name, e.Groups, e.Subscription, e.Ask = true, "R & <co>", []string{"a", "b"}, roster.From, true
			return nil
		}, nil),
		s.ChangeRoster(ctx, ann, bob, func(e *roster.Entry) error {
			e.Request = stanza.NewPresence(ann, bob, stanza.TypeSubscribe, stanza.TextElement(stanza.NSClient, "status", "it's me"))
			return nil
		}, nil),
		s.SetVCard(ctx, ann, "<vCard xmlns='vcard-temp'><FN>Ann</FN></vCard>"),
		s.SetPrivate(ctx, ann, []private.Item{{Space: "test:p", Name: "p", XML: "<p xmlns='test:p'>1</p>"}}),
		block(t, s, ann, []jid.JID{jid.MustParse("spam.example"), jid.MustParse("x@spam.example/res")}),
		s.SetPrefs(ctx, ann, archive.Prefs{Default: archive.Roster, Always: []jid.JID{romeo}, Never: []jid.JID{bob}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	fillNodes(t, s)
	id := stanza.NewID()
	waiting := messages.WithStanzaID(message("waits"), ann, id)
	waiting.Entry = id
	s.AddOffline(ann, offline.Message{ID: waiting.Entry, Stanza: waiting, Received: at}, done)
	for i, id := range []string{"first", storetest.IDAt(at.Add(time.Second)).String(), "third"} {
		s.Archive(ann, archive.Entry{ID: id, At: at.Add(time.Duration(i) * time.Second), Stanza: message(id)}, done)
	}
	for range 4 {
		if err := <-written; err != nil {
			t.Fatal(err)
		}
	}
}

// An account that may not log in is exported without its keys: where it is imported it would be as any other.
func TestBarredAccount(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	for _, disabled := range []bool{false, true} {
		if err := s.SetDisabled(t.Context(), ann, disabled); err != nil {
			t.Fatal(err)
		}
		keys, barred := 0, false
		for _, r := range records(t, Export(t.Context(), s, ann)) {
			if r.Key != nil {
				keys++
			}
			barred = barred || r.Made != nil && r.Made.Barred
		}
		if barred != disabled || disabled == (keys > 0) {
			t.Errorf("disabled %v: barred %v, %d keys", disabled, barred, keys)
		}
	}
}

// Everything that is exported in a format comes back, and is not doubled when it is imported again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from := open(t)
	fill(t, from)
	want := export(t, from)
	for _, kind := range []string{kindMade, kindKey, kindContact, kindRequest, kindVCard, kindPrivate, kindBlocked, kindNode, kindItem, kindPreferences, kindOffline, kindArchived} {
		if !strings.Contains(want, `"kind":"`+kind+`"`) {
			t.Errorf("no %s in %s", kind, want)
		}
	}
	var document bytes.Buffer
	w := NewXMLWriter(&document)
	for _, account := range []jid.JID{ann, bob} {
		for _, r := range records(t, Export(t.Context(), from, account)) {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]func(func(Record, error) bool){
		"xml":  ReadXML(fstest.MapFS{"all.xml": {Data: document.Bytes()}}, "all.xml"),
		"json": ReadJSON(strings.NewReader(want)),
	} {
		to := open(t)
		im := importer(to)
		if err := im.Import(t.Context(), source); err != nil {
			t.Fatal(err)
		}
		if r := im.Report; r.Accounts != 2 || r.Contacts != 1 || r.Offline != 1 || r.Archived != 3 || len(r.Skipped) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
		// The time when an account was made is that of the import.
		if diff := cmp.Diff(withoutCreated(want), withoutCreated(export(t, to))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		again := importer(to)
		again.options.Merge = true
		if err := again.Import(t.Context(), ReadJSON(strings.NewReader(want))); err != nil {
			t.Fatal(err)
		}
		if r := again.Report; r.Archived != 0 || r.Existing != 3 || len(r.Skipped) > 0 {
			t.Errorf("%s, again: %+v", name, r)
		}
		if diff := cmp.Diff(withoutCreated(want), withoutCreated(export(t, to))); diff != "" {
			t.Errorf("%s, again: %s", name, diff)
		}
	}
}

// fillNodes makes a node with items, of which one has a configuration, an affiliation and a subscription that differ from the usual.
func fillNodes(t *testing.T, s *store.Store) {
	t.Helper()
	table, c := nodes.Open(s), pubsub.AccountDefaults()
	plain := &pubsub.Node{Name: "nick", Config: c, Creator: ann, Created: time.Now()}
	c.Access, c.MaxItems, c.Title = pubsub.Open, pubsub.Max, "<Blog>"
	blog := &pubsub.Node{Name: "a <blog>", Config: c, Creator: ann, Created: time.Now()}
	for _, change := range []*pubsub.Change{
		{Node: plain.Name, Put: plain, Create: true, Item: &pubsub.Item{ID: "current", Publisher: ann, Payload: "<nick xmlns='n'>A</nick>", At: time.Now()}, Keep: 1},
		{Node: blog.Name, Put: blog, Create: true, Affiliations: map[jid.JID]pubsub.Affiliation{bob: pubsub.Publisher, romeo: pubsub.Outcast},
			Subscriptions: []pubsub.Subscription{{JID: bob, ID: "s", State: pubsub.Subscribed}}},
		{Node: blog.Name, Item: &pubsub.Item{ID: "1 & 2", Publisher: ann, Payload: "<entry xmlns='e'><b xmlns='f'>&lt;</b></entry>", At: time.Now()}, Keep: 10},
		{Node: blog.Name, Item: &pubsub.Item{ID: "3", Publisher: ann, At: time.Now()}, Keep: 10},
	} {
		if err := table.Write(t.Context(), ann, change); err != nil {
			t.Fatal(err)
		}
	}
}

// Nodes of other servers: what is not known is left out, and nothing becomes visible by that; limits are kept, and existing nodes.
func TestImportNodes(t *testing.T) {
	t.Parallel()
	s := open(t)
	configure := func(node, fields string) string {
		return `<configure node='` + node + `'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>` + fields + `</x></configure>`
	}
	field := func(name, value string) string {
		return `<field var='pubsub#` + name + `'><value>` + value + `</value></field>`
	}
	file := func(first string) fstest.MapFS {
		return fstest.MapFS{"f": {Data: []byte(`<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'><user name='ann'><pubsub xmlns='` + pubsub.NSOwner + `'>` +
			configure("odd", field("access_model", "friends-of-friends")+field("max_items", "-3")+field("colour", "red")+field("title", "T")) +
			configure("open", field("access_model", "open")+field("max_items", "2")) + `<affiliations node='open'><affiliation jid='@' affiliation='owner'/><affiliation jid='a@b.example' affiliation='king'/></affiliations><odd node='open'/>` +
			`</pubsub><pubsub xmlns='` + pubsub.NS + `'><items node='open'>` + first + `<item id='2'><a xmlns='x'/></item><item id='3'><a xmlns='x'/></item><item><a xmlns='x'/></item>` +
			`<item id='large'><a xmlns='x'>` + strings.Repeat("x", 1100) + `</a></item></items><items node='unknown'><item id='1'><a xmlns='x'/></item></items></pubsub></user></host></server-data>`)}}
	}
	im := importer(s)
	if err := im.Import(t.Context(), ReadXML(file(`<item id='1'><a xmlns='x'/></item>`), "f")); err != nil {
		t.Fatal(err)
	}
	if len(im.Report.Skipped) != 3 {
		t.Errorf("%q", im.Report.Skipped)
	}
	again := importer(s)
	again.options.Merge = true
	if err := again.Import(t.Context(), ReadXML(file(`<item id='0'><a xmlns='x'/></item>`), "f")); err != nil { // it has no room
		t.Fatal(err)
	}
	table := nodes.Open(s)
	list, err := table.Nodes(t.Context(), ann)
	if err != nil || list.Len() != 3 {
		t.Fatal(list.Len(), err)
	}
	if c := list.Get("odd").Config; c.Access != pubsub.Whitelist || c.MaxItems != pubsub.Max || c.Title != "T" {
		t.Errorf("%+v", c)
	}
	if n := list.Get("open"); n.Config.Access != pubsub.Open || len(n.Affiliations) != 0 || list.Get("unknown").Config.Access != pubsub.Whitelist {
		t.Errorf("%+v", n)
	}
	page, err := table.Items(t.Context(), ann, pubsub.Query{Node: "open", Page: paging.Request{Max: 10, Index: -1}, Bytes: 1 << 20})
	if err != nil || len(page.Items) != 2 || page.Items[0].ID != "2" || page.Items[1].ID != "3" {
		t.Errorf("%+v, %v", page.Items, err)
	}
}

// endless is a reader of one text that does not end; it counts what is read.
type endless struct {
	begin string
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.begin)
	e.begin = e.begin[n:]
	for i := n; i < len(p); i++ {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Open(string) (fs.File, error) { return e, nil }
func (*endless) Stat() (fs.FileInfo, error)     { return nil, fs.ErrInvalid }
func (*endless) Close() error                   { return nil }

// A text, a comment or an attribute that does not end is refused before much of it is held.
func TestLongText(t *testing.T) {
	t.Parallel()
	user := `<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'><user name='ann'>`
	for _, begin := range []string{user + `<vCard xmlns='vcard-temp'><FN>`, user + `<!--`, user + `<a b='`, user + `<`, `<`, ``} {
		in := &endless{begin: begin}
		failed := false
		for _, err := range ReadXML(in, "f") {
			failed = failed || err != nil
		}
		if !failed || in.read > maxText+64<<10 {
			t.Errorf("%s: %d bytes read, failed: %v", begin, in.read, failed)
		}
	}
}

// export is all accounts as lines of JSON.
func export(t *testing.T, s *store.Store) string {
	t.Helper()
	var out bytes.Buffer
	w := NewJSONWriter(&out)
	for _, account := range []jid.JID{ann, bob} {
		for _, r := range records(t, Export(t.Context(), s, account)) {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func withoutCreated(lines string) (list []string) {
	for l := range strings.Lines(lines) {
		if i := strings.Index(l, `,"created"`); i > 0 {
			l = l[:i]
		}
		// The delay is that of the export.
		if i := strings.Index(l, "\\u003cdelay"); i > 0 {
			l = l[:i]
		} else if strings.Contains(l, `"kind":"offline"`) {
			l = strings.TrimSuffix(l, "\\u003c/message\\u003e\"}\n")
		}
		list = append(list, itemTime.ReplaceAllString(l, "")) // XEP-0227 has no times of items
	}
	return list
}

var itemTime = regexp.MustCompile(`"at":"[^"]*"`)

// Files of other servers, and hostile ones.
func TestReadXML(t *testing.T) {
	t.Parallel()
	head := "<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'>"
	user := func(data string) string {
		return head + "<host jid='example.org'><user name='ann' password='pencil'>" + data + "</user></host></server-data>"
	}
	for name, c := range map[string]struct {
		file, want string // an error, or what is in the JSON of the records
	}{
		"document type":          {"<!DOCTYPE x [<!ENTITY a 'b'>]>" + user("&a;"), "document type"},
		"processing instruction": {user("<?php x?>"), "processing instruction"},
		"not this format":        {"<x/>", "no element server-data"},
		"empty":                  {"", "no element server-data"},
		"cut off":                {user("<vCard xmlns='vcard-temp'>")[:150], "unexpected EOF"},
		"too deep":               {user(strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)), "deeper than"},
		"bad character":          {user("<query xmlns='jabber:iq:private'><x xmlns='a'>\x01</x></query>"), "illegal character"},
		"no address":             {head + "<host jid='example.org'><user name='a@b'/></host></server-data>", "not an address"},
		"file outside":           {head + "<xi:include href='../secret.xml'/></server-data>", "outside of the directory"},
		"other scheme":           {head + "<xi:include href='file:///etc/passwd'/></server-data>", "cannot be included"},
		"as text":                {head + "<xi:include href='other.xml' parse='text'/></server-data>", "cannot be included"},
		"includes itself":        {head + "<xi:include href='main.xml'/><host jid='example.org'><xi:include href='loop.xml'/></host></server-data>", ""},
		"include in data":        {user("<query xmlns='jabber:iq:private'><x xmlns='a'><xi:include href='other.xml'/></x></query>"), "other.xml"},
		"included":               {head + "<host jid='example.org'><xi:include href='other.xml'/></host></server-data>", `"kind":"vcard"`},
		"extension":              {user("<x xmlns='urn:other'/>"), ""},
		"key twice in base64": {user("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><iter-count>4096</iter-count>" +
			"<salt>K0ltcEdHM0YvWm5RWDlNOU96R2QxQT09</salt><server-key>Q1R6b1p4bVRYSkFWZ3ZTMjNwM1VLYU1TaW9vPQ==</server-key>" +
			"<stored-key>b3Z1NHo2Mi9OdnVBQks4TWhpMEpLTzFWTmNjPQ==</stored-key></scram-credentials>"), `"salt":"+ImpGG3F/ZnQX9M9OzGd1A=="`},
		"unknown mechanism": {user("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-MD5'/>"), ""},
		"privacy list": {user("<query xmlns='jabber:iq:privacy'><default name='b'/><list name='b'><item type='jid' value='x@y.example' action='deny' order='1'/>" +
			"<item type='jid' value='z@y.example' action='deny' order='2'><iq/></item></list><list name='other'/></query>"), `"jid":"x@y.example"`},
	} {
		files := fstest.MapFS{
			"main.xml":  {Data: []byte(c.file)},
			"other.xml": {Data: []byte("<user xmlns='urn:xmpp:pie:0' name='ann'><vCard xmlns='vcard-temp'/></user>")},
			"loop.xml":  {Data: []byte("<user xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude' name='ann'><xi:include href='loop2.xml'/></user>")},
			"loop2.xml": {Data: []byte("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='loop2.xml'/>")},
		}
		var out bytes.Buffer
		w := NewJSONWriter(&out)
		var failed error
		for r, err := range ReadXML(files, "main.xml") {
			if err == nil {
				err = w.Write(r)
			}
			failed = errors.Join(failed, err)
		}
		_ = w.Close()
		got := out.String()
		if failed != nil {
			got = failed.Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && failed != nil {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
	}
}

// What cannot be imported is told, and the rest is imported.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.CreateAccount(t.Context(), bob, sasl.Credentials{}); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 5000)
	file := `<server-data xmlns='urn:xmpp:pie:0'><host jid='elsewhere.example'><user name='eve'><vCard xmlns='vcard-temp'/></user></host><host jid='example.org'>` +
		`<user name='bob'><vCard xmlns='vcard-temp'/></user><user name='ann'><vCard xmlns='vcard-temp'><FN>` + long + `</FN></vCard>` +
		`<offline-messages><message xmlns='jabber:client' from='a@b.example'><body>` + long + `</body></message><message xmlns='jabber:client' from='a@b.example'><body>kept</body></message></offline-messages>` +
		`<query xmlns='jabber:iq:roster'><item jid='@'/><item jid='c@b.example' name='` + long + `'/><item jid='d@b.example' subscription='sideways'/></query></user></host></server-data>`
	im := importer(s)
	if err := im.Import(t.Context(), ReadXML(fstest.MapFS{"f": {Data: []byte(file)}}, "f")); err != nil {
		t.Fatal(err)
	}
	r := im.Report
	for _, want := range []string{"eve@elsewhere.example: the domain is not served", "bob@example.org: the account exists", "a vCard of", "a message of", `the contact "@"`, "the contact c@b.example"} {
		if !strings.Contains(strings.Join(r.Skipped, "\n"), want) {
			t.Errorf("%q is not told: %q", want, r.Skipped)
		}
	}
	if r.Accounts != 1 || r.Contacts != 1 || r.Offline != 1 || len(r.Skipped) != 6 {
		t.Errorf("%+v", r)
	}
	if vcard, err := s.VCard(t.Context(), bob); vcard != "" || err != nil {
		t.Errorf("an account that exists got %q, %v", vcard, err)
	}
}

// Messages that are older than those in the archive are not put behind them.
func TestImportLate(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	im := importer(s)
	im.options.Merge = true
	old := Record{Account: ann, Archived: &Message{At: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), Stanza: stanza.NewMessage(ann, romeo, stanza.TypeChat)}}
	newer := Record{Account: ann, Archived: &Message{At: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), Stanza: stanza.NewMessage(ann, romeo, stanza.TypeChat)}}
	for _, r := range []Record{{Account: ann, Made: &Made{}}, old, newer} {
		if err := im.Add(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil || im.Report.Late != 1 || im.Report.Archived != 1 {
		t.Errorf("%v, %+v", err, im.Report)
	}
}

// A reader that wants no more ends the export, and a writer that fails is noticed.
func TestStops(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s)
	n := 0
	for range Export(context.Background(), s, ann) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d records", n)
	}
	w := NewXMLWriter(failing{})
	err := w.Write(Record{Account: ann, Made: &Made{}})
	if err = errors.Join(err, w.Close()); err == nil {
		t.Error("the full disk is not noticed")
	}
	for _, wrong := range []string{"{", `{"account":"@"}`, `{"account":"a@b.example"}`, `{"account":"a@b.example","kind":"contact","contact":{"jid":"@"}}`, `{"account":"a@b.example","kind":"account","more":1}`} {
		for _, err := range ReadJSON(strings.NewReader(wrong)) {
			if err == nil {
				t.Errorf("%s is accepted", wrong)
			}
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// block makes an account block addresses.
func block(t *testing.T, s *store.Store, account jid.JID, list []jid.JID) error {
	t.Helper()
	_, err := moderation.New(s, slog.New(slog.DiscardHandler)).Block(t.Context(), account, list, nil, nil)
	return err
}
