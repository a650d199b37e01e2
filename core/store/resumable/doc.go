// Package resumable keeps in the store what survives a restart of sessions that can be resumed (XEP-0198): their ids, facts and counts,
// and stanzas that their clients have not acknowledged. All writes of a session are queued in the partition of its
// account, so that they are made in order. A change of the account's credentials deletes its sessions here.
//
// The package has no goroutine. Its locks are leaves.
package resumable
