package xmltree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func one(t *testing.T, text string) *xmltree.Element {
	t.Helper()
	row, err := xmltree.ParseFragment(text)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	if len(row) != 1 {
		t.Fatalf("%d elements in %s", len(row), text)
	}
	return row[0]
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, want, got, fault string }{
		{"prefixes do not matter", `<iq><query xmlns="q"/></iq>`, `<iq><x:query xmlns:x="q"/></iq>`, ""},
		{"order of attributes does not matter", `<iq a="1" b="2"/>`, `<iq b='2' a='1'/>`, ""},
		{"other namespace", `<iq><query xmlns="q"/></iq>`, `<iq><query xmlns="r"/></iq>`, "want <query"},
		{"namespaced attribute is another", `<iq xmlns:x="x" x:a="1"/>`, `<iq a="1"/>`, "missing"},
		{"attribute missing", `<iq a="1"/>`, `<iq/>`, "attribute a is missing"},
		{"attribute too many", `<iq/>`, `<iq a="1"/>`, "not expected"},
		{"attribute differs", `<iq a="1"/>`, `<iq a="2"/>`, `is "2", want "1"`},
		{"child too many", `<iq><a/></iq>`, `<iq><a/><b/></iq>`, "child not expected"},
		{"child missing", `<iq><a/><b/></iq>`, `<iq><a/></iq>`, "is missing"},
		{"children swapped", `<iq><a/><b/></iq>`, `<iq><b/><a/></iq>`, "element is <b"},
		{"any order", `<iq match:order="any"><a/><b/></iq>`, `<iq><b/><a/></iq>`, ""},
		{"any order, one too many", `<iq match:order="any"><a/></iq>`, `<iq><b/><a/></iq>`, "not expected"},
		{"any order goes back", `<iq match:order="any"><a n="{any}"/><a n="1"/></iq>`, `<iq><a n="1"/><a n="2"/></iq>`, ""},
		{"more", `<iq match:more="yes"><b/></iq>`, `<iq c="1"><a/><b/></iq>`, ""},
		{"more still wants its own", `<iq match:more="yes"><b/></iq>`, `<iq><a/></iq>`, "no match for <b"},
		{"optional there", `<iq><a match:optional="yes"/><b/></iq>`, `<iq><a/><b/></iq>`, ""},
		{"optional missing", `<iq><a match:optional="yes"/><b/></iq>`, `<iq><b/></iq>`, ""},
		{"optional at the end", `<iq><b/><a match:optional="yes"/></iq>`, `<iq><b/></iq>`, ""},
		{"optional differs", `<iq><a match:optional="yes"/><b/></iq>`, `<iq><a x="1"/><b/></iq>`, "not expected"},
		{"text", `<body>hi</body>`, `<body>ho</body>`, "text is"},
		{"text too much", `<body/>`, `<body>ho</body>`, "text is"},
		{"text beside children", `<iq><a/></iq>`, `<iq>x<a/></iq>`, "text is"},
		{"wildcard", `<body>a{any}c</body>`, `<body>abbc</body>`, ""},
		{"wildcard is no regular expression", `<body>a.c</body>`, `<body>abc</body>`, "text is"},
		{"known name", `<iq to="{host}"/>`, `<iq to="h.example"/>`, ""},
		{"known name differs", `<iq to="{host}"/>`, `<iq to="g.example"/>`, `{host} is "h.example"`},
		{"capture the same", `<iq id="{x}"><a id="{x}"/></iq>`, `<iq id="7"><a id="7"/></iq>`, ""},
		{"capture differs", `<iq id="{x}"><a id="{x}"/></iq>`, `<iq id="7"><a id="8"/></iq>`, `want "{x}"`},
		{"capture is not empty", `<iq id="{x}"/>`, `<iq id=""/>`, `want "{x}"`},
		{"maybe there", `<iq to="{any?}"/>`, `<iq to="x"/>`, ""},
		{"maybe missing", `<iq to="{any?}"/>`, `<iq/>`, ""},
		{"doubled braces", `<body>{{x}}</body>`, `<body>{x}</body>`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := one(t, strings.ReplaceAll(test.got, "{x}", "&#x7B;x&#x7D;"))
			err := xmltree.Match(one(t, test.want), got, xmltree.Bindings{"host": "h.example"})
			switch {
			case test.fault == "" && err != nil:
				t.Fatalf("does not match: %v", err)
			case test.fault != "" && err == nil:
				t.Fatalf("matches, want fault %q", test.fault)
			case test.fault != "" && !strings.Contains(err.Error(), test.fault):
				t.Fatalf("fault is %q, want %q", err, test.fault)
			}
		})
	}
}

func TestMatchBindsOnlyOnSuccess(t *testing.T) {
	t.Parallel()
	b := xmltree.Bindings{}
	if xmltree.Match(one(t, `<iq id="{x}"><a/></iq>`), one(t, `<iq id="1"/>`), b) == nil {
		t.Fatal("matches")
	}
	if len(b) != 0 {
		t.Fatalf("bound by a difference: %v", b)
	}
	if err := xmltree.Match(one(t, `<iq id="n{x}"/>`), one(t, `<iq id="n1"/>`), b); err != nil {
		t.Fatal(err)
	}
	if b["x"] != "1" {
		t.Fatalf("bound %v", b)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	b := xmltree.Bindings{"who": "a&b"}
	got, err := b.Expand("<to who='{who}'>{{}}</to>", true)
	if err != nil || got != "<to who='a&amp;b'>{}</to>" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := b.Expand("{nobody}", false); err == nil {
		t.Fatal("an unbound name was expanded")
	}
	if _, err := b.Expand("{", false); err == nil {
		t.Fatal("an open brace was expanded")
	}
}

func TestDecoderRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<x:a/>`, `<a x:b="1"/>`, `<a b="1" b="2"/>`, `<a xmlns:x="n" xmlns:y="n" x:b="1" y:b="2"/>`,
		`<a></b>`, `<a><!-- c --></a>`, `<a><?pi?></a>`, `<a>&nbsp;</a>`, `text`, `<a xmlns:x=""><x:b/></a>`,
	} {
		if row, err := xmltree.ParseFragment(text); err == nil {
			t.Errorf("%s was read as %v", text, row)
		}
	}
}

func TestDecoderStream(t *testing.T) {
	t.Parallel()
	d := xmltree.NewDecoder(strings.NewReader(`<?xml version='1.0'?><s:stream xmlns='c' xmlns:s='s' id='1'> <a/> <s:b/></s:stream>`))
	header, err := d.Header()
	if err != nil || header.Attr("id") != "1" || header.Name.Space != "s" {
		t.Fatalf("%v, %v", header, err)
	}
	for _, space := range []string{"c", "s"} {
		e, err := d.Element()
		if err != nil || e.Name.Space != space {
			t.Fatalf("%v, %v", e, err)
		}
	}
	if _, err := d.Element(); !errors.Is(err, xmltree.ErrClosed) {
		t.Fatalf("at the end: %v", err)
	}
}
