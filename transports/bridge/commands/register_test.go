package commands

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
)

// A client without data forms is shown the fields of XEP-0077 §14.1 for those of the form.
func TestPlainFields(t *testing.T) {
	t.Parallel()
	f := form.New(form.Ask, "jabber:iq:register", "Link")
	f.Add(form.Field{Var: "workspace", Type: form.TextSingle})
	f.Add(form.Field{Var: "token", Type: form.TextPrivate})
	f.Add(form.Field{Var: "cookie", Type: form.TextPrivate})
	f.Add(form.Field{Type: form.Fixed})
	if got, want := fmt.Sprint(plainFields(f)), "[{username workspace} {password token} {key cookie}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if plainFields(nil) != nil {
		t.Error("fields of no form")
	}
}

func TestLastWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "2 oauth": "oauth", " token ": "token"} {
		if got := lastWord(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
