package administration

import (
	"errors"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
)

// The invitation of an account that is disabled is not valid until it is enabled again; one of no account is.
func TestInvitationOfDisabledAccount(t *testing.T) {
	t.Parallel()
	s, ctx := open(t, alice), t.Context()
	i := admin.Invitation{Host: jid.MustParse("example.org"), Inviter: alice, Registers: true, Uses: 1, Expires: time.Now().Add(time.Hour)}
	err := s.AddInvitation(ctx, "hers", i, 0)
	i.Inviter = jid.JID{}
	if err := errors.Join(err, s.AddInvitation(ctx, "nobody's", i, 0)); err != nil {
		t.Fatal(err)
	}
	for _, disabled := range []bool{true, false} {
		if err := s.SetDisabled(ctx, alice, disabled); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Invitation(ctx, "hers"); errors.Is(err, admin.ErrNoInvitation) != disabled || err != nil && !disabled {
			t.Errorf("disabled %v: %v", disabled, err)
		}
		if _, err := s.Invitation(ctx, "nobody's"); err != nil {
			t.Error(err)
		}
	}
}
