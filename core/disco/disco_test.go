package disco

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	host = jid.MustParse("example.org")
	ann  = jid.MustParse("ann@example.org/1")
)

type fixed struct {
	node  string
	info  Info
	items []Item
	err   error
}

func (f fixed) DiscoInfo(_ context.Context, q Query) (Info, error) {
	if q.Node != f.node {
		return Info{}, stanza.ItemNotFound("")
	}
	return f.info, f.err
}

func (f fixed) DiscoItems(_ context.Context, q Query) ([]Item, error) {
	if q.Node != f.node {
		return nil, stanza.ItemNotFound("")
	}
	return f.items, f.err
}

func ask(t *testing.T, r *Registry, space, node, inner string) (string, error) {
	t.Helper()
	q, err := stanza.ParseElement(fmt.Sprintf("<query xmlns='%s' node='%s'>%s</query>", space, node, inner), "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Answer(t.Context(), stanza.NewIQ(host, ann, stanza.TypeGet, q))
	if err != nil {
		return "", err
	}
	return answer.String(), nil
}

func condition(err error) string {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e.Condition
	}
	return fmt.Sprint(err)
}

func TestRegistryInfo(t *testing.T) { // XEP-0030 §3
	t.Parallel()
	r := NewRegistry()
	r.Add(host, "", Info{Identities: []Identity{{"server", "im", "", "Example"}}, Features: []string{"b", "a", "b"}})
	r.Add(host, "", Info{Identities: []Identity{{"server", "im", "", "Example"}}, Features: []string{"c"},
		Forms: []*form.Form{SoftwareForm("Dragoman", "1", "")}})
	r.Add(host, "thing", Info{Features: []string{"t"}})
	r.Ask(fixed{node: "dyn", info: Info{Features: []string{"d"}}})
	r.Ask(fixed{node: "thing", info: Info{Features: []string{"u"}}})
	r.Ask(fixed{node: "closed", err: stanza.Forbidden("")})

	want := "<query xmlns='" + NSInfo + "'><identity category='server' type='im' name='Example'/><feature var='a'/><feature var='b'/>" +
		"<feature var='c'/><feature var='" + NSInfo + "'/><feature var='" + NSItems + "'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>" +
		"<field var='software'><value>Dragoman</value></field><field var='software_version'><value>1</value></field></x></query>"
	if got, err := ask(t, r, NSInfo, "", ""); got != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if got, _ := ask(t, r, NSInfo, "thing", ""); got != "<query xmlns='"+NSInfo+"' node='thing'><feature var='t'/><feature var='u'/></query>" {
		t.Errorf("node: %s", got)
	}
	if got, _ := ask(t, r, NSInfo, "dyn", ""); !strings.Contains(got, "'d'") {
		t.Errorf("source: %s", got)
	}
	if _, err := ask(t, r, NSInfo, "nothing", ""); condition(err) != "item-not-found" {
		t.Errorf("unknown node: %v", err)
	}
	if _, err := ask(t, r, NSInfo, "closed", ""); condition(err) != "forbidden" {
		t.Errorf("closed node: %v", err)
	}
	r.Remove(host, "")
	if _, err := ask(t, r, NSInfo, "", ""); condition(err) != "item-not-found" {
		t.Errorf("removed: %v", err)
	}
}

func TestRegistryItems(t *testing.T) { // XEP-0030 §4, XEP-0059
	t.Parallel()
	r := NewRegistry()
	var items []Item
	for i := range 5 {
		items = append(items, Item{JID: jid.MustParse(fmt.Sprintf("r%d.example.org", i)), Name: fmt.Sprint(i)})
	}
	r.AddItems(host, "", items...)
	r.AddItems(host, "", Item{JID: items[4].JID, Name: "new"})
	r.RemoveItems(host, "", items[0])
	got, err := ask(t, r, NSItems, "", "")
	if err != nil || strings.Count(got, "<item ") != 4 || !strings.Contains(got, "name='new'") || strings.Contains(got, "<set") {
		t.Errorf("all: %s, %v", got, err)
	}
	got, _ = ask(t, r, NSItems, "", "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>r1.example.org</after></set>")
	if !strings.Contains(got, "<first index='1'>r2.example.org</first><last>r3.example.org</last><count>4</count>") {
		t.Errorf("page: %s", got)
	}
	if _, err := ask(t, r, NSItems, "", "<set xmlns='http://jabber.org/protocol/rsm'><after>gone</after></set>"); condition(err) != "item-not-found" {
		t.Errorf("XEP-0059 §2.4: %v", err)
	}
	if _, err := ask(t, r, NSItems, "x", ""); condition(err) != "item-not-found" {
		t.Errorf("unknown node: %v", err)
	}
	for i := range 1500 {
		r.AddItems(host, "many", Item{JID: host, Node: fmt.Sprint(i)})
	}
	got, _ = ask(t, r, NSItems, "many", "")
	if strings.Count(got, "<item ") != mostPage || !strings.Contains(got, "<count>1500</count>") {
		t.Error("a long list is not cut")
	}
	parsed, _ := stanza.ParseElement(got, "")
	if len(ParseItems(parsed)) != mostPage {
		t.Error("items do not come back")
	}
	r.AddItems(host, "empty")
	if got, err := ask(t, r, NSItems, "empty", "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max></set>"); err != nil || strings.Contains(got, "<set") {
		t.Errorf("XEP-0059 §2.2 empty set: %s %v", got, err)
	}
}

const psi = `<query xmlns='http://jabber.org/protocol/disco#info' node='x'>
<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
<field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field>
<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field>
<field var='software_version'><value>0.11</value></field></x></query>`

func parseInfo(t *testing.T, xml string) Info {
	t.Helper()
	e, err := stanza.ParseElement(xml, "")
	if err != nil {
		t.Fatal(err)
	}
	i, err := ParseInfo(e)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestCaps(t *testing.T) {
	t.Parallel()
	simple := Info{Identities: []Identity{{"client", "pc", "", "Exodus 0.9.1"}}, Features: []string{ // XEP-0115 §5.2
		"http://jabber.org/protocol/muc", "http://jabber.org/protocol/caps", NSInfo, NSItems}}
	if c := simple.Caps("n"); c.Ver != "QgayPKawpkPSDYmwT/WM94uAlu0=" || c.InfoNode() != "n#"+c.Ver {
		t.Errorf("%+v", c)
	}
	complexInfo := parseInfo(t, psi) // XEP-0115 §5.3
	if c := complexInfo.Caps("n"); c.Ver != "q07IKJEyjvHSyhy//CH0CxmKi8w=" {
		t.Errorf("%+v", c)
	}
	presence := stanza.NewPresence(host, ann, "", simple.Caps("n").Element())
	if c, ok := ParseCaps(presence.Tree()); !ok || c != simple.Caps("n") {
		t.Errorf("read back %+v", c)
	}
	legacy := stanza.NewElement("", "presence").Add(stanza.NewElement(NSCaps, "c").With("node", "n").With("ver", "1.0"))
	if _, ok := ParseCaps(legacy); ok {
		t.Error("legacy capabilities taken for current ones") // XEP-0115 §5.4
	}
	if _, err := simple.Ver("md2"); err == nil {
		t.Error("unknown hash")
	}
	if v, _ := simple.Ver("sha-256"); len(v) != 44 {
		t.Errorf("sha-256: %q", v)
	}
}

// ejabberd 26.07: nothing is kept under a hash that is not its own (XEP-0115 §5.4).
func TestEjabberd2607_CapsPoisoning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(string) string
		ok     bool
	}{
		"as it is":       {func(s string) string { return s }, true},
		"a feature more": {func(s string) string { return strings.Replace(s, "<feature", "<feature var='evil'/><feature", 1) }, false},
		"a feature twice": {func(s string) string {
			return strings.Replace(s, "<feature", "<feature var='http://jabber.org/protocol/caps'/><feature", 1)
		}, false},
		"identity twice": {func(s string) string {
			return strings.Replace(s, "<identity", "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity", 1)
		}, false},
		"form without type": {func(s string) string {
			return strings.Replace(s, "</query>", "<x xmlns='jabber:x:data' type='result'><field var='y'><value>z</value></field></x></query>", 1)
		}, true},
		"unhidden type": {func(s string) string { return strings.Replace(s, " type='hidden'", "", 1) }, false},
		"form twice": {func(s string) string {
			i := strings.Index(s, "<x ")
			j := strings.Index(s, "</query>")
			return s[:j] + s[i:j] + s[j:]
		}, false},
		"two form types": {func(s string) string {
			return strings.Replace(s, "softwareinfo</value>", "softwareinfo</value><value>other</value>", 1)
		}, false},
		"feature as identity": {func(s string) string {
			return strings.Replace(s, "<feature var='http://jabber.org/protocol/caps'/>", "<identity category='http:' type='' xml:lang='jabber.org' name='protocol/caps'/>", 1)
		}, false},
		"features joined": {func(s string) string {
			return strings.Replace(s, "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>",
				"<feature var='http://jabber.org/protocol/caps&lt;http://jabber.org/protocol/disco#info'/>", 1)
		}, false},
	} {
		caps := Caps{Node: "n", Hash: "sha-1", Ver: "q07IKJEyjvHSyhy//CH0CxmKi8w="}
		cache := NewCache(2)
		err := cache.Put(caps, parseInfo(t, c.change(psi)))
		i, known := cache.Get(caps)
		if (err == nil) != c.ok || known != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if known && len(i.Forms) != 1 {
			t.Errorf("%s: what is not hashed is kept", name)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	cache := NewCache(3)
	var all []Caps
	for n := range 5 {
		i := Info{Identities: []Identity{{"client", "pc", "", fmt.Sprint(n)}}}
		all = append(all, i.Caps("n"))
		if err := cache.Put(all[n], i); err != nil {
			t.Fatal(err)
		}
		cache.Get(all[0])
	}
	if _, ok := cache.Get(all[0]); !ok || cache.Len() != 3 {
		t.Error("the one in use was forgotten")
	}
	if _, ok := cache.Get(all[1]); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := cache.Get(Caps{Hash: "sha-256", Ver: all[0].Ver}); ok {
		t.Error("another hash finds the entry")
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	r, cache := NewRegistry(), NewCache(2)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for range 50 {
				i := Info{Identities: []Identity{{"client", "pc", "", fmt.Sprint(n)}}, Features: []string{fmt.Sprint(n)}}
				r.Add(host, "", i)
				r.AddItems(host, "", Item{JID: host, Node: fmt.Sprint(n)})
				r.Ask(fixed{node: "none"})
				if _, err := r.Info(t.Context(), Query{To: host}); err != nil {
					t.Error(err)
				}
				if _, err := r.Items(t.Context(), Query{To: host}); err != nil {
					t.Error(err)
				}
				if err := cache.Put(i.Caps("n"), i); err != nil {
					t.Error(err)
				}
				cache.Get(i.Caps("n"))
			}
		})
	}
	all.Wait()
	if items, _ := r.Items(t.Context(), Query{To: host}); len(items) != 4 || cache.Len() != 2 {
		t.Errorf("%v, %d", items, cache.Len())
	}
}

func TestParseInfoLimits(t *testing.T) {
	t.Parallel()
	x := stanza.NewElement(NSInfo, "query")
	for range maxFeatures + 1 {
		x.Add(stanza.NewElement(NSInfo, "feature").With("var", "v"))
	}
	if _, err := ParseInfo(x); err == nil {
		t.Error("an endless answer was read")
	}
	if _, err := ParseInfo(stanza.NewElement("other", "query")); err == nil {
		t.Error("another query was read")
	}
}
