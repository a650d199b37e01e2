package admincommands

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// full is an error of a store whose disk is full.
type full struct{}

func (full) Error() string  { return "disk is full" }
func (full) TryLater() bool { return true }

// What the requester has caused becomes a condition that says so (XEP-0133 §5); a full disk stays what it is, which is answered with
// resource-constraint (RFC 6120 §8.3.3.18), and the cause of anything else is not for the requester.
func TestConditions(t *testing.T) {
	t.Parallel()
	ann := jid.MustParse("ann@example.org")
	for _, c := range []struct {
		err  error
		want string
	}{
		{admin.ErrForbidden, "forbidden: Your role does not allow this."},
		{&admin.AccountError{Account: ann, Err: admin.ErrNoAccount}, "item-not-found: ann@example.org: There is no such account."},
		{&admin.AccountError{Account: ann, Err: fmt.Errorf("add: %w", admin.ErrExists)}, "conflict: ann@example.org: There is such an account already."},
		{admin.ErrForeign, "not-allowed: This account's password is kept elsewhere and cannot be changed here."},
	} {
		if got := Condition(c.err); got.Error() != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
	for err, want := range map[error]string{
		&admin.AccountError{Account: ann, Err: fmt.Errorf("disable account: %w", full{})}: "resource-constraint",
		errors.New("secret"): "internal-server-error",
	} {
		if got := stanza.FromError(Condition(err)); got.Condition != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	if Condition(nil) != nil {
		t.Error("nil is an error")
	}
	wrong := &form.FieldError{Var: "x", Problem: "is wrong"}
	if got := Condition(wrong); got != error(wrong) {
		t.Errorf("%v", got)
	}
}
