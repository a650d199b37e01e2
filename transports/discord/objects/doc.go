// Package objects holds the objects of Discord's API and gateway, with the fields that the transport reads and no others: a
// field that nobody reads cannot make a message unreadable. They are decoded by package lenientjson, so that every field
// can be empty and every list can miss an element.
package objects
