package router

import (
	"errors"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// A change by another process ends the sessions whose login began before it, and no others, whenever the server notices it.
func TestEndRevoked(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	account := jid.MustParse("romeo@home.test")
	bind := func(resource string, since uint64, mark int64) error {
		_, err := th.host.Bind(t.Context(), &recorder{jid: jid.MustParse("romeo@home.test/" + resource)}, BindOptions{Since: &since, Revocation: mark, Replace: true})
		return err
	}
	began := th.host.Removals()
	if err := errors.Join(bind("before", began, 0), bind("earlier", began, 6), bind("after", began, 7)); err != nil {
		t.Fatal(err)
	}
	if n := th.host.EndRevoked(account, 7, "not-authorized", ""); n != 2 {
		t.Errorf("%d sessions ended", n)
	}
	for mark, want := range map[int64]error{0: ErrRevoked, 6: ErrRevoked, 7: nil} { // logins that were under way
		if err := bind("late", began, mark); !errors.Is(err, want) {
			t.Errorf("login with mark %d: %v", mark, err)
		}
	}
	if n := th.host.EndSessions(account, nil, "reset", ""); n < 1 {
		t.Errorf("%d sessions ended", n)
	}
	th.host.EndRevoked(account, 7, "not-authorized", "")
	if err := bind("late", began, 7); !errors.Is(err, ErrRevoked) {
		t.Errorf("login from before a new password: %v", err)
	}
	if err := bind("new", th.host.Removals(), 0); err != nil {
		t.Error(err)
	}
}
