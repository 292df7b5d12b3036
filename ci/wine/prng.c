/* bcryptprimitives.dll for Wine 8, which has none. Every Go program loads it
 * first, for random numbers. So it is also the place to change two answers of
 * Wine that no Windows would give to these programs. */
#include <windows.h>
#include <winternl.h>

BOOLEAN WINAPI SystemFunction036(void *, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T size)
{
	return SystemFunction036(buffer, (ULONG)size);
}

/* A removal with POSIX semantics, as Go's os.RemoveAll asks for, is "not
 * implemented". What a Windows without them says makes Go remove in the older
 * way, at which a name stays until nobody has it open; so what can be removed
 * goes out of the way first. */
static NTSTATUS(WINAPI *set_information)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, int);

static void move_away(HANDLE file, IO_STATUS_BLOCK *io)
{
	static LONG moved;
	static const WCHAR base[] = L"\\??\\C:\\windows\\temp\\gone-";
	enum { BASE = sizeof base / sizeof *base - 1, DIGITS = 16, RENAME = 10, DISPOSITION = 13 };
	struct {
		BOOLEAN replace;
		HANDLE root;
		ULONG length;
		WCHAR name[BASE + DIGITS];
	} to = {TRUE, NULL, sizeof to.name, {0}};
	BOOLEAN yes = TRUE, no = FALSE;
	ULONGLONG id = (ULONGLONG)GetCurrentProcessId() << 32 | (ULONG)InterlockedIncrement(&moved);

	/* Only a try tells: a directory may have something in it. */
	if (set_information(file, io, &yes, sizeof yes, DISPOSITION) || set_information(file, io, &no, sizeof no, DISPOSITION))
		return;
	for (int i = 0; i < BASE; i++)
		to.name[i] = base[i];
	for (int i = 0; i < DIGITS; i++)
		to.name[BASE + i] = L"0123456789abcdef"[id >> 4 * i & 15];
	set_information(file, io, &to, sizeof to, RENAME);
}

static NTSTATUS WINAPI set_information_here(HANDLE file, IO_STATUS_BLOCK *io, void *info, ULONG size, int class)
{
	const int disposition_ex = 64;
	const NTSTATUS invalid_info_class = 0xC0000003;

	if (class != disposition_ex)
		return set_information(file, io, info, size, class);
	move_away(file, io);
	return invalid_info_class;
}

/* Every process seems to be elevated by its user's consent, and elevated
 * programs trust few plugins. Here all are as on a system without consent. */
static NTSTATUS(WINAPI *query_token)(HANDLE, int, void *, ULONG, ULONG *);

static NTSTATUS WINAPI query_token_here(HANDLE token, int class, void *info, ULONG size, ULONG *length)
{
	NTSTATUS status = query_token(token, class, info, size, length);

	if (class == TokenElevationType && status == 0)
		*(TOKEN_ELEVATION_TYPE *)info = TokenElevationTypeDefault;
	return status;
}

/* Bytes of a system call's stub in Wine's ntdll. It refers to nothing relative
 * to itself, so a copy of it works too. */
enum { STUB = 32 };

/* divert has a system call answered by here, and returns a way to the system's
 * own answer. */
static void *divert(const char *name, void *here)
{
	BYTE jump[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; /* mov rax, here; jmp rax */
	BYTE *stub = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll.dll"), name);
	BYTE *copy = VirtualAlloc(NULL, STUB, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	DWORD old;

	if (!stub || !copy || !VirtualProtect(stub, STUB, PAGE_EXECUTE_READWRITE, &old))
		return NULL;
	memcpy(copy, stub, STUB);
	memcpy(jump + 2, &here, sizeof here);
	memcpy(stub, jump, sizeof jump);
	return VirtualProtect(stub, STUB, old, &old) ? copy : NULL;
}

BOOL WINAPI DllMainCRTStartup(HINSTANCE self, DWORD reason, void *reserved)
{
	if (reason != DLL_PROCESS_ATTACH)
		return TRUE;
	set_information = divert("NtSetInformationFile", set_information_here);
	query_token = divert("NtQueryInformationToken", query_token_here);
	return set_information && query_token;
}
