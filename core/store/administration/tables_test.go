package administration

import (
	"errors"
	"testing"
	"time"
)

// The service ends sessions itself, at once: a Revocation would end those of logins that follow, up to a second later.
func TestChangesLeaveNoRevocation(t *testing.T) {
	t.Parallel()
	s, ctx := open(t, alice), t.Context()
	err := errors.Join(s.SetPassword(ctx, alice, "other"), s.SetDisabled(ctx, alice, true), s.SetLocked(ctx, alice, time.Now().Add(time.Hour)),
		s.SetDisabled(ctx, alice, false), s.SetLocked(ctx, alice, time.Time{}))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := s.Revocations(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
