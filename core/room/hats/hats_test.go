package hats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	host    = "https://example.org/hats#host"
	speaker = "https://example.org/hats#speaker"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org/x")
)

func condition(err error) string {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e.Condition
	}
	return fmt.Sprint(err)
}

func TestList(t *testing.T) {
	t.Parallel()
	var empty List
	l, err := empty.Put(Hat{URI: host, Title: "Host", Hue: "327.25"})
	if err != nil || !empty.Empty() || empty.Hash() != "" || l.Hash() == "" {
		t.Fatal(l, err)
	}
	for _, bad := range []Hat{
		{URI: "", Title: "x"}, {URI: "host", Title: "x"}, {URI: "a:" + strings.Repeat("x", maxURI), Title: "x"}, {URI: host},
		{URI: host, Title: strings.Repeat("x", maxTitle+1)}, {URI: host, Title: "x", Hue: "red"}, {URI: host, Title: "x", Hue: "361"},
		{URI: host, Title: "x", Hue: "NaN"}, {URI: host, Title: "x", Hue: "-1"}, {URI: "http://[", Title: "x"},
	} {
		if got, err := l.Put(bad); condition(err) != "not-acceptable" || !reflect.DeepEqual(got, l) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	two, err := l.Put(Hat{URI: speaker, Title: "Speaker"})
	if err != nil || two.Hash() == l.Hash() || len(l.Hats) != 1 {
		t.Error(err)
	}
	if l, err = two.Assign(bob, host); err != nil {
		t.Fatal(err)
	}
	if l, err = l.Assign(bob, speaker); err != nil {
		t.Fatal(err)
	}
	if got := l.Of(bob.Bare()); len(got) != 2 || got[0].URI != host || len(l.Of(alice)) != 0 || len(two.Of(bob)) != 0 {
		t.Errorf("%v", got)
	}
	if again, err := l.Assign(bob, host); err != nil || !reflect.DeepEqual(again, l) {
		t.Error(err)
	}
	kept, err := json.Marshal(l)
	var read List
	if err := errors.Join(err, json.Unmarshal(kept, &read)); err != nil || !reflect.DeepEqual(read, l) {
		t.Errorf("%s, %v", kept, err)
	}
	renamed, err := l.Put(Hat{URI: host, Title: "Hostess"})
	if err != nil || renamed.Of(bob)[0].Title != "Hostess" || renamed.Hash() == l.Hash() {
		t.Error(err)
	}
	if gone, err := l.Remove(host); err != nil || len(gone.Of(bob)) != 1 || len(l.Of(bob)) != 2 {
		t.Error(err)
	}
	if less, err := l.Unassign(bob, host); err != nil || len(less.Of(bob)) != 1 {
		t.Error(err)
	}
	if f := l.Forget(bob); len(f.Worn) != 0 || len(l.Worn) != 1 {
		t.Error("not forgotten")
	}
	for _, err := range []error{second(l.Remove("x:y")), second(l.Assign(alice, "x:y")), second(l.Unassign(alice, host))} {
		if condition(err) != "item-not-found" {
			t.Error(err)
		}
	}
	if x := Element(l.Of(bob)).String(); !strings.Contains(x, "hue='327.25'") || !strings.Contains(x, "title='Speaker'") || Element(nil) != nil {
		t.Error(x)
	}
}

func second(_ List, err error) error { return err }

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	var l List
	var err error
	for i := range maxHats {
		if l, err = l.Put(Hat{URI: fmt.Sprintf("x:%d", i), Title: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Put(Hat{URI: "x:more", Title: "x"}); condition(err) != "resource-constraint" {
		t.Error(err)
	}
	if _, err := l.Put(Hat{URI: "x:1", Title: "y"}); err != nil {
		t.Error(err)
	}
	for i := range maxWorn {
		if l, err = l.Assign(alice, fmt.Sprintf("x:%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Assign(alice, "x:99"); condition(err) != "resource-constraint" {
		t.Error(err)
	}
	for i := 1; i < maxWearers; i++ {
		j, _ := jid.New(fmt.Sprintf("u%d", i), "example.org", "")
		if l, err = l.Assign(j, "x:1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Assign(bob, "x:1"); condition(err) != "resource-constraint" {
		t.Error(err)
	}
}

// room is a Room whose only admin is alice.
type room struct {
	list List
	fail error
}

func (r *room) Hats() List { return r.list }
func (r *room) SetHats(_ context.Context, l List) error {
	if r.fail == nil {
		r.list = l
	}
	return r.fail
}
func (r *room) HatRights(session jid.JID) (manage, see bool) {
	return session.Bare() == alice, session.Bare() == alice
}

// XEP-0317 §3.2 to §3.7.
func TestCommands(t *testing.T) {
	t.Parallel()
	r := &room{}
	e := command.NewEngine(command.Limits{}, nil)
	for _, c := range Commands(r) {
		e.Add(c)
	}
	field := func(name, value string) string {
		return "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	submit := func(fields ...string) string {
		return "<x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", formType) + strings.Join(fields, "") + "</x>"
	}
	run := func(who jid.JID, node, id, inner string) (string, error) {
		attrs := ""
		if id != "" {
			attrs = " sessionid='" + id + "'"
		}
		iq := &stanza.Stanza{Kind: stanza.IQ, Type: stanza.TypeSet, ID: "1", From: who, To: jid.MustParse("lobby@rooms.example.org"),
			Payload: "<command xmlns='http://jabber.org/protocol/commands' node='" + formType + ":" + node + "'" + attrs + ">" + inner + "</command>"}
		x, err := e.Handle(t.Context(), iq)
		return stanza.Encode(x), err
	}
	admin := jid.MustParse("alice@example.org/x")
	for _, node := range []string{"create", "destroy", "assign", "unassign", "list-assigned"} {
		if _, err := run(bob, node, "", ""); condition(err) != "forbidden" {
			t.Errorf("%s for everybody: %v", node, err)
		}
	}
	got, err := run(admin, "create", "", "")
	if err != nil || !strings.Contains(got, "status='executing'") || !strings.Contains(got, "hats#hue") {
		t.Fatal(got, err)
	}
	_, rest, _ := strings.Cut(got, "sessionid='")
	id, _, _ := strings.Cut(rest, "'")
	if got, err = run(admin, "create", id, submit(field(fieldTitle, "Host"), field(fieldURI, host), field(fieldHue, "10"))); err != nil || !strings.Contains(got, "completed") {
		t.Error(got, err)
	}
	for _, c := range []struct {
		node, form, want string
	}{
		{"create", submit(field(fieldTitle, "Speaker"), field(fieldURI, speaker)), "completed"},
		{"create", submit(field(fieldTitle, "Speaker")), "executing"}, // asked again
		{"create", submit(field(fieldTitle, "Speaker"), field(fieldURI, "nothing")), "not-acceptable"},
		{"assign", submit(field(fieldJID, "bob@example.org"), field(fieldURI, host)), "completed"},
		{"assign", submit(field(fieldJID, "example.org"), field(fieldURI, host)), "executing"},
		{"assign", submit(field(fieldJID, "bob@example.org"), field(fieldURI, "x:y")), "executing"},
		{"list", "", "<reported>"},
		{"list", "", speaker},
		{"list-assigned", "", "<value>bob@example.org</value>"},
		{"unassign", submit(field(fieldJID, "carol@example.org"), field(fieldURI, host)), "item-not-found"},
		{"unassign", submit(field(fieldJID, "bob@example.org"), field(fieldURI, host)), "completed"},
		{"destroy", submit(field(fieldURI, speaker)), "completed"},
	} {
		got, err := run(admin, c.node, "", c.form)
		if err != nil {
			got = condition(err)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %s", c.node, c.form, got)
		}
	}
	if len(r.list.Hats) != 1 || len(r.list.Worn) != 0 {
		t.Errorf("%+v", r.list)
	}
	r.fail = stanza.ResourceConstraint("disk is full")
	if _, err := run(admin, "destroy", "", submit(field(fieldURI, host))); condition(err) != "resource-constraint" || len(r.list.Hats) != 1 {
		t.Error(err)
	}
}
