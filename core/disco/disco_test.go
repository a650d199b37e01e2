package disco

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	r.AddSource(fixed{node: "dyn", info: Info{Features: []string{"d"}}})
	r.AddSource(fixed{node: "thing", info: Info{Features: []string{"u"}}})
	r.AddSource(fixed{node: "closed", err: stanza.Forbidden("")})

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
	got, err := ask(t, r, NSItems, "", "")
	if err != nil || strings.Count(got, "<item ") != 5 || !strings.Contains(got, "name='new'") || strings.Contains(got, "<set") {
		t.Errorf("all: %s, %v", got, err)
	}
	got, _ = ask(t, r, NSItems, "", "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>r1.example.org</after></set>")
	if !strings.Contains(got, "<first index='2'>r2.example.org</first><last>r3.example.org</last><count>5</count>") {
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
	if strings.Count(got, "<item ") != maxPage || !strings.Contains(got, "<count>1500</count>") {
		t.Error("a long list is not cut")
	}
	r.Add(jid.JID{}, "", Info{Features: []string{"everywhere"}}) // for every address of which nothing else is known
	for to, want := range map[string]bool{host.String(): false, "other.example.org": true} {
		i, err := r.Info(t.Context(), Query{To: jid.MustParse(to)})
		if err != nil || slices.Contains(i.Features, "everywhere") != want {
			t.Errorf("%s: %v, %v", to, i, err)
		}
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
	var i Info
	for x := range e.Elements() {
		switch {
		case x.Is(NSInfo, "identity"):
			i.Identities = append(i.Identities, Identity{Category: x.Attr("category"), Type: x.Attr("type"), Lang: x.Lang(), Name: x.Attr("name")})
		case x.Is(NSInfo, "feature"):
			i.Features = append(i.Features, x.Attr("var"))
		default:
			f, err := form.Parse(x)
			if err != nil {
				t.Fatal(err)
			}
			i.Forms = append(i.Forms, f)
		}
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
	if _, err := simple.Ver("md2"); err == nil {
		t.Error("unknown hash")
	}
	if v, _ := simple.Ver("sha-256"); len(v) != 44 {
		t.Errorf("sha-256: %q", v)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	r := NewRegistry()
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for range 50 {
				i := Info{Identities: []Identity{{"client", "pc", "", fmt.Sprint(n)}}, Features: []string{fmt.Sprint(n)}}
				r.Add(host, "", i)
				r.AddItems(host, "", Item{JID: host, Node: fmt.Sprint(n)})
				r.AddSource(fixed{node: "none"})
				if _, err := r.Info(t.Context(), Query{To: host}); err != nil {
					t.Error(err)
				}
				if _, err := r.Items(t.Context(), Query{To: host}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if items, _ := r.Items(t.Context(), Query{To: host}); len(items) != 4 {
		t.Errorf("%v", items)
	}
}
