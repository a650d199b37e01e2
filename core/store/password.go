package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Register implements register.Store.
func (s *Store) Register(ctx context.Context, account jid.JID, password string) error {
	// Strangers ask this: a name that is taken must not cost the keys of a password.
	if taken, err := s.Exists(ctx, account); err != nil {
		return err
	} else if taken {
		return register.ErrTaken
	}
	if deleted, err := exists(s.reads.QueryRowContext(ctx, deletedNameSQL, account.String(), s.deletedSince())); err != nil {
		return fmt.Errorf("look up the deleted name %s: %w", account, err)
	} else if deleted {
		return register.ErrTaken
	}
	c, err := s.derive(password)
	if err != nil {
		return err
	}
	err = s.RegisterAccount(ctx, account, c, nil)
	if errors.Is(err, ErrAccountExists) || errors.Is(err, ErrBeingRemoved) || errors.Is(err, ErrNameDeleted) {
		return register.ErrTaken
	}
	return err
}

// SetPassword implements register.Store.
func (s *Store) SetPassword(ctx context.Context, account jid.JID, password string) error {
	c, err := s.derive(password)
	if err != nil {
		return err
	}
	return s.SetCredentials(ctx, account, c)
}

func (s *Store) derive(password string) (sasl.Credentials, error) {
	c, err := sasl.NewCredentials(password, s.iterations)
	if errors.Is(err, sasl.ErrPassword) {
		return c, fmt.Errorf("%w: %w", register.ErrPassword, err)
	}
	return c, err
}
