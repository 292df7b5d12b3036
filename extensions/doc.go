// Package extensions keeps the token cache of MSAL for Go in a store that
// outlives the process and is shared with others: the operating system's key
// store, a file, or any other backend, each in a plugin process of its own or
// linked in.
//
//	p, err := extensions.BuildPersistence(ctx, location, nil)
//	if err != nil {
//		return err // a *SelectionError says what each backend lacks
//	}
//	defer p.Close()
//	cache := extensions.NewPersistedTokenCache(p, nil)
//	client, err := public.New(clientID, public.WithCache(msal.Accessor(cache)))
//
// # Choosing a backend
//
// [BuildPersistence] takes the platform's key store, and says why when it
// can't; it never steps down to plaintext by itself. [Open] takes one backend
// by name. Set-up code should look at [Persistence.IsEncrypted] and
// [Persistence.Protection] before the first sign-in.
//
// What was chosen is recorded beside the location, and later runs go on with it
// or fail with [ErrBackendChanged]. [Migrate] takes the items to another one.
//
// # What is protected
//
// An encrypted store keeps tokens from other users of the machine and from
// whoever gets hold of its disk. It doesn't keep them from programs that run
// as the same user, nor from root.
//
// # Errors
//
// Failures are [*Error] values with one of the kinds below; errors.Is tells
// them apart. A message ends in what to do next, where there is something.
//
// # Compatibility
//
// Stored formats and the plugin protocol carry versions. A newer format is
// refused and left as it is; entries and fields that this version doesn't
// know are kept.
package extensions
