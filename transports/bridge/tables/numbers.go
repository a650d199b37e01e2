package tables

import (
	"context"
	"database/sql"
	"fmt"
)

// A row of the inbox, the outbox or the archive has a number, by which rows are in order. It is the time at
// which it was given, or one more than the last number where the clock did not move on. The gateway's id
// stands above the time, so that the numbers of two gateways differ.
const (
	timeBits   = 51
	maxGateway = 1<<(62-timeBits) - 1

	// Releases before 0.2 counted from 1 instead. Their numbers are below all others.
	countBits = 40
)

// HistoryOffset is subtracted from the numbers of archived messages that are older than all others of their room.
const HistoryOffset = 1 << 62

// numberRange is where numbers of a gateway are.
type numberRange struct{ from, to int64 }

func (s *Store) numbers() numberRange { return numberRange{s.id << timeBits, (s.id+1)<<timeBits - 1} }

// numberRanges are also those of earlier releases.
func (s *Store) numberRanges() []numberRange {
	return []numberRange{{s.id << countBits, (s.id+1)<<countBits - 1}, s.numbers()}
}

const (
	lastEventSQL    = `SELECT max(seq) FROM bridge_inbox WHERE seq BETWEEN ? AND ?`
	lastCallSQL     = `SELECT max(seq) FROM bridge_outbox WHERE seq BETWEEN ? AND ?`
	lastArchivedSQL = `SELECT max(seq) FROM bridge_archive WHERE seq BETWEEN ? AND ?`
	lastPositionSQL = `SELECT max(place) FROM bridge_inbox WHERE state IN (0, 1) AND seq BETWEEN ? AND ?`
)

// LastNumber is the highest number of any row, at least first, which is that of the time 0.
func (s *Store) LastNumber(ctx context.Context) (first, last int64, err error) {
	in := s.numbers()
	last = in.from
	for _, query := range []struct {
		text   string
		offset int64
	}{{lastEventSQL, 0}, {lastCallSQL, 0}, {lastArchivedSQL, 0}, {lastArchivedSQL, HistoryOffset}, {lastPositionSQL, 0}} {
		var n sql.NullInt64
		if err := s.engine.Reader().QueryRowContext(ctx, query.text, in.from-query.offset, in.to-query.offset).Scan(&n); err != nil {
			return 0, 0, fmt.Errorf("read last number: %w", err)
		}
		if n.Valid {
			last = max(last, n.Int64+query.offset)
		}
	}
	return in.from, last, nil
}
