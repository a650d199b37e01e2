package transports

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

func TestBodiesSurviveTheStore(t *testing.T) {
	t.Parallel()
	for _, b := range []Body{
		Message{ID: "1", Text: richtext.FromPlain("a\nb"), Files: []File{{ID: "f", Name: "x.png", Size: 3}}, ReplyTo: "0", Thread: "0"},
		Edit{ID: "1", Text: richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain("x")}}},
		Delete{IDs: []MessageID{"1", "2"}, By: "u"}, Reactions{ID: "1", Add: []string{"👍"}}, Typing{On: true}, Read{ID: "3"},
		Member{User: UserInfo{ID: "u", Name: "U"}, Joined: true}, RoomChanged{Info: RoomInfo{ID: "r", Kind: Public}}, RoomGone{Archived: true},
		Contact{Info: UserInfo{ID: "u"}}, Presence{Info: PresenceInfo{User: "u", Show: Busy}}, Call{ID: "c", Ended: true},
		Receipt{IDs: []MessageID{"1"}}, Poll{ID: "p", Question: "q", Options: []PollOption{{ID: "1", Text: "a", Votes: 2}}}, PollVote{ID: "p", Options: []string{"1"}},
		Unreadable{Raw: []byte(`{"a":1}`), Values: []string{"a"}},
	} {
		data, err := MarshalBody(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnmarshalBody(BodyKind(b), data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b, got); d != "" {
			t.Error(d)
		}
	}
	if len(bodies) != 16 {
		t.Errorf("%d kinds of bodies, this test knows 16", len(bodies))
	}
	if _, err := UnmarshalBody("nonsense", nil); err == nil {
		t.Error("an unknown kind was accepted")
	}
}

func TestClassOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want Class
	}{
		{errors.New("x"), Bug}, {fmt.Errorf("a: %w", Later(0, nil)), Retry}, {Relink("x", nil), NeedLogin},
		{fmt.Errorf("b: %w", Refuse("", "x", nil)), Refused}, {&Error{Class: Unknown}, Unknown}, {fmt.Errorf("c: %w", context.DeadlineExceeded), Retry},
	} {
		if got := ClassOf(tc.err); got != tc.want {
			t.Errorf("ClassOf(%v) = %v", tc.err, got)
		}
	}
}

type half struct{ Client }

func (half) Edit(context.Context, MessageRef, Outgoing) (richtext.Text, error) { return nil, nil }

type net struct {
	Network
	caps Caps
}

func (n net) Info() Info            { return Info{Kind: "n", Name: "N", Short: "n", Type: "n", Caps: n.caps} }
func (net) LoginFlows() []LoginFlow { return []LoginFlow{{ID: "token", Name: "Token"}} }
func (net) ClientType() Client      { return half{} }

func TestCheckFindsWhatIsDeclaredAndAbsent(t *testing.T) {
	t.Parallel()
	if err := CheckNetwork(net{caps: Caps{MessageCaps: MessageCaps{Edit: true}}}); err != nil {
		t.Error(err)
	}
	if CheckNetwork(net{}) == nil {
		t.Error("an undeclared Editor passed")
	}
	if CheckNetwork(net{caps: Caps{MessageCaps: MessageCaps{Edit: true, Delete: true}}}) == nil {
		t.Error("a missing Deleter passed")
	}
}

func TestLoginHidesItsSecret(t *testing.T) {
	t.Parallel()
	a := Login{ID: "1", Name: "ann", Secret: []byte("xoxb-1")}
	for _, s := range []string{fmt.Sprint(a), fmt.Sprintf("%+v", a), fmt.Sprintf("%#v", a)} {
		if s != "1 (ann)" {
			t.Error(s)
		}
	}
}

func TestFieldChecks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		field  Field
		answer string
		good   bool
	}{
		{Field{}, "", false}, {Field{Optional: true}, "", true}, {Field{}, "x", true},
		{Field{Pattern: "[0-9]+|x"}, "12", true}, {Field{Pattern: "[0-9]+|x"}, "12x", false}, {Field{Pattern: "a", Optional: true}, "", true},
		{Field{Choices: []string{"a", "b"}}, "b", true}, {Field{Choices: []string{"a", "b"}}, "c", false},
	} {
		tc.field.Key = "key"
		err := tc.field.Check(tc.answer)
		var e *Error
		if (err == nil) != tc.good || err != nil && (!errors.As(err, &e) || e.Class != Refused || e.Field != "key") {
			t.Errorf("%+v %q: %v", tc.field, tc.answer, err)
		}
	}
	if err := (Field{Pattern: "("}).Check("x"); ClassOf(err) != Bug {
		t.Errorf("a pattern that is none: %v", err)
	}
}

func TestCookiesAreSecretFields(t *testing.T) {
	t.Parallel()
	step := Step{Cookies: &CookieRequest{Fields: []CookieField{{Field: Field{Key: "d"}, Source: SourceCookie, Name: "d"}}}}
	if f := step.Fields(); len(f) != 1 || f[0].Key != "d" || !f[0].Secret {
		t.Errorf("%+v", f)
	}
	if step.Waits() || !(Step{QR: "x"}).Waits() || !(Step{Wait: true}).Waits() || !(Step{Emoji: []string{"🐈"}}).Waits() {
		t.Error("which steps wait is wrong")
	}
}
