package form

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func parse(t testing.TB, xml string) *Form {
	t.Helper()
	e, err := stanza.ParseElement(xml, "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(e)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const everything = "<x xmlns='jabber:x:data' type='form'><title>Bot</title><instructions>Fill out.</instructions><instructions>All of it.</instructions>" +
	"<field var='FORM_TYPE' type='hidden'><value>jabber:bot</value></field>" +
	"<field type='fixed'><value>Section 1</value></field>" +
	"<field var='name' type='text-single' label='Name'><desc>Of the bot</desc><required/></field>" +
	"<field var='about' type='text-multi' label='About'><value>a</value><value>b</value></field>" +
	"<field var='public' type='boolean' label='Public?'><value>1</value></field>" +
	"<field var='key' type='text-private' label='Key'/>" +
	"<field var='features' type='list-multi' label='Features'><value>news</value><option label='News'><value>news</value></option><option label='Search'><value>search</value></option></field>" +
	"<field var='max' type='list-single' label='Most'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'><open/></validate><value>20</value><option><value>10</value></option><option><value>20</value></option></field>" +
	"<field var='invite' type='jid-multi' label='Invite'/><field var='owner' type='jid-single' label='Owner'/>" +
	"<field var='ocr' type='text-single'><media xmlns='urn:xmpp:media-element' height='80' width='290'><uri type='image/png'>cid:sha1+1@bob.xmpp.org</uri></media></field></x>"

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	f := parse(t, everything)
	if got := f.Element().String(); got != everything {
		t.Errorf("got  %s\nwant %s", got, everything)
	}
	if f.FormType() != "jabber:bot" || f.Title != "Bot" || len(f.Fields) != 11 || f.Lines("about") != "a\nb" || !f.IsTrue("public") {
		t.Errorf("%+v", f)
	}
	if f.Field("features").OptionLabel("news") != "News" || f.Field("max").OptionLabel("20") != "20" {
		t.Error("labels of the choices")
	}
	if m := f.Field("ocr").Media; m.Width != 290 || m.URIs[0] != (URI{"image/png", "cid:sha1+1@bob.xmpp.org"}) { // XEP-0221 §2
		t.Errorf("%+v", m)
	}
	table := "<x xmlns='jabber:x:data' type='result'><title>Search</title><reported><field var='n' type='text-single' label='Name'/></reported>" +
		"<item><field var='n'><value>Verona</value></field></item><item><field var='n'><value>Mantua</value></field></item></x>" // XEP-0004 §3.4
	r := parse(t, table)
	if r.Element().String() != table || len(r.Items) != 2 || r.Items[1][0].Value() != "Mantua" || r.Reported[0].Label != "Name" {
		t.Errorf("%s", r.Element())
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	f := New(Submit, "urn:x", "").Set("a", "1").Set("b").Set("a", "2", "3")
	want := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>" +
		"<field var='a'><value>2</value><value>3</value></field><field var='b'/></x>"
	if got := f.Element().String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	lines := New(Ask, "", "").Add(Field{Var: "t", Type: TextMulti, Values: []string{"one\ntwo"}})
	if got := parse(t, lines.Element().String()); !reflect.DeepEqual(got.Values("t"), []string{"one", "two"}) { // XEP-0004 §3.3
		t.Errorf("%+v", got.Values("t"))
	}
	if j, ok := New(Submit, "", "").Set("j", "Ann@Example.org").JID("j"); !ok || j.String() != "ann@example.org" {
		t.Error(j)
	}
	var none *Form
	if none.Field("x") != nil || none.Has("x") || none.Get("x") != "" || none.Values("x") != nil {
		t.Error("a form that is not there")
	}
}

func TestParseOdd(t *testing.T) {
	t.Parallel()
	if f := parse(t, "<x xmlns='jabber:x:data' type='submit'><field var='a' type='invented'/><field xmlns='other' var='b'/></x>"); f.Fields[0].Type != TextSingle || len(f.Fields) != 1 { // XEP-0004 §3.3
		t.Errorf("%+v", f)
	}
	for name, xml := range map[string]string{
		"type":        "<x xmlns='jabber:x:data' type='other'/>",
		"namespace":   "<x xmlns='jabber:x:date' type='form'/>",
		"many fields": "<x xmlns='jabber:x:data' type='form'>" + strings.Repeat("<field var='a'/>", 3000) + "</x>",
		"many values": "<x xmlns='jabber:x:data' type='form'><field var='a'>" + strings.Repeat("<value/>", 3000) + "</field></x>",
		"much text":   "<x xmlns='jabber:x:data' type='form'><field var='a'><value>" + strings.Repeat("v", 300000) + "</value></field></x>",
		"many items":  "<x xmlns='jabber:x:data' type='result'>" + strings.Repeat("<item/>", 3000) + "</x>",
		"wide items":  "<x xmlns='jabber:x:data' type='result'><item>" + strings.Repeat("<field/>", 3000) + "</item></x>",
	} {
		e, err := stanza.ParseElement(xml, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Parse(nil); err == nil {
		t.Error("nothing is a form")
	}
	parent, _ := stanza.ParseElement("<q xmlns='q'>"+New(Submit, "a", "").Element().String()+New(Submit, "b", "").Set("v", "1").Element().String()+"</q>", "")
	if Find(parent, "b").Get("v") != "1" || Find(parent, "").FormType() != "a" || Find(parent, "c") != nil {
		t.Error("find")
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	f := parse(t, everything)
	ok := func() *Form { return New(Submit, "jabber:bot", "").Set("name", " Bot ") }
	for _, c := range []struct {
		name   string
		answer *Form
		field  string
		want   string // the value, or the problem behind "!"
	}{
		{"text is trimmed", ok(), "name", "Bot"},
		{"hidden stays", ok(), "FORM_TYPE", "jabber:bot"},
		{"hidden is not changed", ok().Set("FORM_TYPE", "other"), "FORM_TYPE", "jabber:bot"},
		{"hidden is filled in", New(Submit, "", "").Set("name", "x"), "FORM_TYPE", "jabber:bot"},
		{"§3.1 unknown fields are left out", ok().Set("other", "1"), "other", ""},
		{"§3.5 absent is absent", ok(), "public", ""},
		{"required and absent", New(Submit, "", ""), "", "!Name: is needed."},
		{"required and empty", ok().Set("name", "  "), "", "!Name: is needed."},
		{"required and no value", ok().Set("name"), "", "!Name: is needed."},
		{"§3.2 two values", ok().Set("name", "a", "b"), "", "!Name: takes one value only."},
		{"a line too many", ok().Set("name", "a\nb"), "", "!Name: must be one line."},
		{"boolean", ok().Set("public", "true"), "public", "1"},
		{"boolean, no", ok().Set("public", "false"), "public", "0"},
		{"boolean, none", ok().Set("public", "yes"), "", "!Public?: must be true or false."},
		{"jid", ok().Set("owner", "Ann@Example.ORG/x"), "owner", "ann@example.org/x"},
		{"jid, none", ok().Set("owner", "@"), "", "!Owner: is not an XMPP address."},
		{"§3.6 jid, unset", ok().Set("owner", ""), "owner", ""},
		{"§3.3 jids twice", ok().Set("invite", "a@b", "A@B", "c@d"), "invite", "a@b c@d"},
		{"choices", ok().Set("features", "search", "news", "search"), "features", "search news"},
		{"§3.3 choice that is none", ok().Set("features", "spam"), "", "!Features: is not one of the choices."},
		{"XEP-0122 §3.2.2 open list", ok().Set("max", "33"), "max", "33"},
		{"XEP-0122 §3.1 datatype", ok().Set("max", "many"), "", "!Most: must be a whole number."},
		{"lines", ok().Set("about", "one\ntwo", "three"), "about", "one two three"},
		{"lines, emptied", ok().Set("about", ""), "about", ""},
		{"secret is not trimmed", ok().Set("key", " s "), "key", " s "},
	} {
		got, err := f.Accept(c.answer)
		if problem, bad := strings.CutPrefix(c.want, "!"); bad {
			var wrong *FieldError
			if !errors.As(err, &wrong) || err.Error() != problem || wrong.Stanza().Condition != "not-acceptable" { // XEP-0004 §4
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || strings.Join(got.Values(c.field), " ") != c.want {
			t.Errorf("%s: %q, %v", c.name, got.Values(c.field), err)
		}
	}
}

func TestChecks(t *testing.T) { // XEP-0122
	t.Parallel()
	for _, c := range []struct {
		check Check
		value string
		ok    bool
	}{
		{Check{Datatype: "xs:integer"}, "12345678901234567890", true},
		{Check{Datatype: "xs:integer"}, "1.5", false},
		{Check{Datatype: "xs:integer"}, "1_000", false},
		{Check{Datatype: "xs:integer"}, strings.Repeat("9", 10000), false},
		{Check{Datatype: "xs:byte"}, "127", true},
		{Check{Datatype: "xs:byte"}, "128", false},
		{Check{Datatype: "xs:byte"}, "-129", false},
		{Check{Datatype: "xs:unsignedShort"}, "65535", true},
		{Check{Datatype: "xs:unsignedShort"}, "-1", false},
		{Check{Datatype: "xs:positiveInteger"}, "0", false},
		{Check{Datatype: "xs:decimal"}, "-1.50", true},
		{Check{Datatype: "xs:decimal"}, "one", false},
		{Check{Datatype: "xs:double"}, "1e3", true},
		{Check{Datatype: "xs:double"}, "0x10", false},
		{Check{Datatype: "xs:boolean"}, "true", true},
		{Check{Datatype: "xs:boolean"}, "yes", false},
		{Check{Datatype: "xs:dateTime"}, "2003-10-06T11:22:00-07:00", true},
		{Check{Datatype: "xs:dateTime"}, "2003-10-06", false},
		{Check{Datatype: "xs:date"}, "2003-10-06", true},
		{Check{Datatype: "xs:date"}, "2003-13-06", false},
		{Check{Datatype: "xs:time"}, "11:22:00", true},
		{Check{Datatype: "xs:anyURI"}, "https://example.org/", true},
		{Check{Datatype: "xs:anyURI"}, "nowhere", false},
		{Check{Datatype: "x:invented"}, "anything", true}, // §4.1
		{Check{Datatype: "xs:integer", Min: "1", Max: "10"}, "10", true},
		{Check{Datatype: "xs:integer", Min: "1", Max: "10"}, "11", false},
		{Check{Datatype: "xs:integer", Min: "1", Max: "10"}, "0", false},
		{Check{Datatype: "xs:dateTime", Min: "2003-10-05T00:00:00-07:00"}, "2003-10-05T08:00:00+01:00", true},
		{Check{Datatype: "xs:dateTime", Min: "2003-10-05T00:00:00-07:00"}, "2003-10-05T07:59:59+01:00", false},
		{Check{Regex: "([0-9]{3})-([0-9]{2})"}, "123-45", true}, // §3.2.4
		{Check{Regex: "([0-9]{3})-([0-9]{2})"}, "x123-45", false},
		{Check{Regex: "a|b"}, "ab", false},
		{Check{Regex: "("}, "anything", true}, // no pattern
	} {
		fd := Field{Var: "v", Type: TextSingle, Check: &c.check}
		if _, err := fd.Normalise([]string{c.value}); (err == nil) != c.ok {
			t.Errorf("%+v, %.40q: %v", c.check, c.value, err)
		}
	}
	days := Field{Var: "d", Type: ListMulti, Options: []Option{{Value: "a"}, {Value: "b"}, {Value: "c"}}, Check: &Check{MinItems: 1, MaxItems: 2}} // §3.3
	for n, ok := range []bool{false, true, true, false} {
		if _, err := days.Normalise([]string{"a", "b", "c"}[:n]); (err == nil) != ok {
			t.Errorf("%d of 1 to 2: %v", n, err)
		}
	}
	for _, c := range []Check{{Datatype: "xs:int", Min: "1", Max: "2"}, {Regex: "x+"}, {Open: true}, {Datatype: "xs:date"}, {MinItems: 1, MaxItems: 3}} {
		f := New(Ask, "", "").Add(Field{Var: "v", Type: ListMulti, Check: &c})
		if got := parse(t, f.Element().String()).Field("v").Check; *got != c {
			t.Errorf("%+v came back as %+v", c, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everything, "<x xmlns='jabber:x:data' type='submit'><field var='name'><value>x</value></field></x>")
	f.Fuzz(func(t *testing.T, ask, answer string) {
		a, err := stanza.ParseElement(ask, NS)
		if err != nil {
			return
		}
		form, err := Parse(a)
		if err != nil {
			return
		}
		again, err := Parse(form.Element())
		if err != nil || fmt.Sprint(again.Element()) != fmt.Sprint(form.Element()) {
			t.Fatalf("%v:\n%s\n%s", err, form.Element(), again.Element())
		}
		b, err := stanza.ParseElement(answer, NS)
		if err != nil {
			return
		}
		given, err := Parse(b)
		if err != nil {
			return
		}
		taken, err := form.Accept(given)
		if err != nil {
			var wrong *FieldError
			if !errors.As(err, &wrong) {
				t.Fatal(err)
			}
			return
		}
		for i := range taken.Fields {
			asked := form.Field(taken.Fields[i].Var)
			if asked == nil || asked.Required && asked.Type != Boolean && strings.Join(taken.Fields[i].Values, "") == "" {
				t.Fatalf("%+v was accepted for %+v", taken.Fields[i], asked)
			}
		}
	})
}
