/* The least that a job can be. */

int main(void) {
    return 0;
}
